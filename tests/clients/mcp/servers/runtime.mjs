// Runs the handler of a sample for Lambda: the loop of the Node.js runtime, over the Lambda Runtime API. The runtime interface
// client of AWS is not used here: its package compiles libcurl when it is installed.
const { handler } = await import(process.env.SAMPLE);

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

for (;;) {
  const next = await fetch(`${api}/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const event = await next.json();
  try {
    const answer = await handler(event, { awsRequestId: id });
    await fetch(`${api}/${id}/response`, { method: "POST", body: JSON.stringify(answer) });
  } catch (error) {
    const body = JSON.stringify({ errorType: error.name, errorMessage: error.stack });
    await fetch(`${api}/${id}/error`, { method: "POST", body });
  }
}
