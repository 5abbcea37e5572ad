"""Translates a SAM template into CloudFormation, as AWS does: translate.py template.yaml translated.json"""

import json
import os
import sys

# The translator asks for the region of a session. The result names none: any region will do.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class ManagedPolicies:
    """The one managed policy that the translation names."""

    def load(self):
        name = "AWSLambdaBasicExecutionRole"
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}"}


def main(source, target):
    with open(source) as file:
        template = yaml_parse(file)
    # `sam deploy` writes the address of the uploaded code there.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    with open(target, "w") as file:
        json.dump(transform(template, {}, ManagedPolicies()), file, indent=1)


main(*sys.argv[1:])
