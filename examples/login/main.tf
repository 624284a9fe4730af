# An HTTP API for people: they sign in on Cognito's login page, and the API takes
# the tokens that they get. The same files work on AWS and on Gatehouse. For
# Gatehouse, point the provider at it first:
#
#   export AWS_ENDPOINT_URL=http://127.0.0.1:4566
#   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
#
# `./try` then signs in as a person's browser does, and calls the API.

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

# Who signs in, and for what.

resource "aws_cognito_user_pool" "people" {
  name = "people"
  password_policy {
    minimum_length = 12
  }
}

resource "aws_cognito_user_pool_domain" "people" {
  domain       = var.login_domain
  user_pool_id = aws_cognito_user_pool.people.id
}

resource "aws_cognito_resource_server" "notes" {
  identifier   = "notes"
  name         = "notes"
  user_pool_id = aws_cognito_user_pool.people.id
  scope {
    scope_name        = "read"
    scope_description = "Read notes"
  }
  scope {
    scope_name        = "write"
    scope_description = "Write notes"
  }
}

# A program in a browser can't keep a secret: the code that it gets is bound to
# it by PKCE.
resource "aws_cognito_user_pool_client" "page" {
  name                                 = "page"
  user_pool_id                         = aws_cognito_user_pool.people.id
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = concat(["openid", "email"], aws_cognito_resource_server.notes.scope_identifiers)
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = [var.callback_url]
  logout_urls                          = [var.callback_url]
}

resource "aws_cognito_user" "ann" {
  user_pool_id   = aws_cognito_user_pool.people.id
  username       = "ann"
  password       = var.password
  message_action = "SUPPRESS"
  attributes = {
    email          = "ann@example.com"
    email_verified = true
  }
}

# What they call.

data "archive_file" "notes" {
  type        = "zip"
  source_dir  = "${path.module}/function"
  output_path = "${path.module}/notes.zip"
}

resource "aws_iam_role" "notes" {
  name = "notes-function"
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
  role       = aws_iam_role.notes.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "notes" {
  function_name    = "notes"
  role             = aws_iam_role.notes.arn
  runtime          = "nodejs20.x"
  handler          = "index.handler"
  filename         = data.archive_file.notes.output_path
  source_code_hash = data.archive_file.notes.output_base64sha256
}

resource "aws_apigatewayv2_api" "notes" {
  name          = "notes"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_authorizer" "people" {
  api_id           = aws_apigatewayv2_api.notes.id
  name             = "people"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    issuer   = "https://${aws_cognito_user_pool.people.endpoint}"
    audience = [aws_cognito_user_pool_client.page.id]
  }
}

resource "aws_apigatewayv2_integration" "notes" {
  api_id                 = aws_apigatewayv2_api.notes.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.notes.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "notes" {
  for_each             = { "GET /notes" = "notes/read", "POST /notes" = "notes/write" }
  api_id               = aws_apigatewayv2_api.notes.id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.notes.id}"
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.people.id
  authorization_scopes = [each.value]
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.notes.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "AllowInvokeFromApiGateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.notes.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.notes.execution_arn}/*/*"
}

variable "login_domain" {
  description = "The first label of the login page's host; on AWS nobody else in the region may have it."
  default     = "gatehouse-people"
}

variable "callback_url" {
  description = "Where people go with their code after they signed in."
  default     = "http://localhost:3000/signed-in"
}

variable "password" {
  description = "Ann's password."
  default     = "Correct-horse-7"
  sensitive   = true
}

output "api_endpoint" {
  value = aws_apigatewayv2_api.notes.api_endpoint
}

output "client_id" {
  value = aws_cognito_user_pool_client.page.id
}

output "login_domain" {
  value = aws_cognito_user_pool_domain.people.domain
}

output "region" {
  value = data.aws_region.current.name
}

output "callback_url" {
  value = var.callback_url
}

output "password" {
  value     = var.password
  sensitive = true
}
