// Express on AWS Lambda, behind an HTTP API of API Gateway: one route `ANY /{proxy+}`, without an authorizer.
import serverlessExpress from "@codegenie/serverless-express";
import { app } from "./express.mjs";

export const handler = serverlessExpress({ app });
