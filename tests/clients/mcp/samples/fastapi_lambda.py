# FastAPI on AWS Lambda, behind an HTTP API of API Gateway: one route `ANY /{proxy+}`, without an authorizer.
from fastapi import FastAPI
from fastmcp_server import mcp
from mangum import Mangum

server = mcp.http_app(stateless_http=True)
app = FastAPI(lifespan=server.lifespan)
app.mount("/", server)
handler = Mangum(app)
