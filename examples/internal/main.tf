# An HTTP API for programs of one's own: requests are signed with IAM
# credentials, and IAM policies say who may do what. The same files work on AWS
# and on Gatehouse. For Gatehouse, point the provider at it first:
#
#   export AWS_ENDPOINT_URL=http://127.0.0.1:4566
#   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
#
# `./try` then calls the API as two users.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
    archive = {
      source = "hashicorp/archive"
    }
  }
}

provider "aws" {
  # Gatehouse has no instance metadata; on AWS this line does no harm.
  skip_metadata_api_check = true
}

data "aws_region" "current" {}

data "archive_file" "reports" {
  type        = "zip"
  source_dir  = "${path.module}/function"
  output_path = "${path.module}/reports.zip"
}

resource "aws_iam_role" "reports" {
  name = "reports-function"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.reports.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "reports" {
  function_name    = "reports"
  role             = aws_iam_role.reports.arn
  runtime          = "nodejs20.x"
  handler          = "index.handler"
  filename         = data.archive_file.reports.output_path
  source_code_hash = data.archive_file.reports.output_base64sha256
}

resource "aws_apigatewayv2_api" "reports" {
  name          = "reports"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "reports" {
  api_id                 = aws_apigatewayv2_api.reports.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.reports.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "reports" {
  for_each           = toset(["GET /reports", "POST /reports"])
  api_id             = aws_apigatewayv2_api.reports.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.reports.id}"
  authorization_type = "AWS_IAM"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.reports.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "AllowInvokeFromApiGateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.reports.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.reports.execution_arn}/*/*"
}

# Readers may only get reports, and only writers may make them.
locals {
  users = { reader = ["GET"], writer = ["GET", "POST"] }
}

resource "aws_iam_user" "user" {
  for_each = local.users
  name     = "reports-${each.key}"
}

resource "aws_iam_user_policy" "user" {
  for_each = local.users
  name     = "reports"
  user     = aws_iam_user.user[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "execute-api:Invoke"
      Resource = [for method in each.value : "${aws_apigatewayv2_api.reports.execution_arn}/$default/${method}/reports"]
    }]
  })
}

resource "aws_iam_access_key" "user" {
  for_each = local.users
  user     = aws_iam_user.user[each.key].name
}

output "api_endpoint" {
  value = aws_apigatewayv2_api.reports.api_endpoint
}

output "region" {
  value = data.aws_region.current.name
}

output "keys" {
  value     = { for name, key in aws_iam_access_key.user : name => "${key.id}:${key.secret}" }
  sensitive = true
}
