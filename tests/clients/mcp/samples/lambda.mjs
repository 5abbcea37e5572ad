// AWS Lambda behind an HTTP API of API Gateway: one route `ANY /{proxy+}`, without an authorizer.
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import server from "./fetch.mjs";

const app = new Hono().all("*", (context) => server.fetch(context.req.raw, process.env));

export const handler = handle(app);
