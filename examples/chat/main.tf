# A chat: a WebSocket API with a function behind its routes, a second function
# that remembers who is in which room, and a page to try it, behind an HTTP API.
# The same files work on AWS and on Gatehouse. For Gatehouse, point the provider
# at it first:
#
#   export AWS_ENDPOINT_URL=http://127.0.0.1:4566
#   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
#
# Then open what the output page_url says in two windows.

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

locals {
  # The functions share one zip and one role.
  functions = {
    chat = {
      environment = { STORE = "chat-store" }
      concurrency = -1 # as many at once as there are events
    }
    store = {
      environment = {}
      concurrency = 1 # one memory for all; function/store.mjs says more
    }
    page = {
      environment = { WEBSOCKET_URL = local.websocket_url }
      concurrency = -1
    }
  }
  # $default is for what isn't a chat message; it alone answers.
  routes        = toset(["$connect", "$disconnect", "join", "say", "$default"])
  stage         = "live"
  websocket_url = "${aws_apigatewayv2_api.chat.api_endpoint}/${local.stage}"
}

# Functions

data "archive_file" "chat" {
  type        = "zip"
  source_dir  = "${path.module}/function"
  output_path = "${path.module}/chat.zip"
}

resource "aws_iam_role" "chat" {
  name = "chat-function"

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
  role       = aws_iam_role.chat.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "chat" {
  name = "send-and-remember"
  role = aws_iam_role.chat.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "execute-api:ManageConnections"
        Resource = "${aws_apigatewayv2_api.chat.execution_arn}/${local.stage}/POST/@connections/*"
      },
      {
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = aws_lambda_function.chat["store"].arn
      },
    ]
  })
}

resource "aws_lambda_function" "chat" {
  for_each = local.functions

  function_name                  = each.key == "chat" ? "chat" : "chat-${each.key}"
  role                           = aws_iam_role.chat.arn
  runtime                        = "nodejs20.x"
  handler                        = "${each.key}.handler"
  timeout                        = 10
  memory_size                    = 256
  filename                       = data.archive_file.chat.output_path
  source_code_hash               = data.archive_file.chat.output_base64sha256
  reserved_concurrent_executions = each.value.concurrency

  dynamic "environment" {
    for_each = length(each.value.environment) > 0 ? [each.value.environment] : []

    content {
      variables = environment.value
    }
  }
}

# The WebSocket API

resource "aws_apigatewayv2_api" "chat" {
  name                       = "chat"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "chat" {
  api_id           = aws_apigatewayv2_api.chat.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.chat["chat"].invoke_arn
}

resource "aws_apigatewayv2_route" "chat" {
  for_each = local.routes

  api_id                              = aws_apigatewayv2_api.chat.id
  route_key                           = each.key
  target                              = "integrations/${aws_apigatewayv2_integration.chat.id}"
  route_response_selection_expression = each.key == "$default" ? "$default" : null
}

resource "aws_apigatewayv2_route_response" "default" {
  api_id             = aws_apigatewayv2_api.chat.id
  route_id           = aws_apigatewayv2_route.chat["$default"].id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_deployment" "chat" {
  api_id = aws_apigatewayv2_api.chat.id

  # What is deployed; a change of it makes a new deployment.
  triggers = {
    definition = sha1(jsonencode([
      aws_apigatewayv2_integration.chat.id,
      aws_apigatewayv2_integration.chat.integration_uri,
      [for key, route in aws_apigatewayv2_route.chat : [key, route.id, route.target, route.route_response_selection_expression]],
      aws_apigatewayv2_route_response.default.id,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "chat" {
  api_id        = aws_apigatewayv2_api.chat.id
  name          = local.stage
  deployment_id = aws_apigatewayv2_deployment.chat.id
}

resource "aws_lambda_permission" "chat" {
  statement_id  = "AllowInvokeFromApiGateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.chat["chat"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.chat.execution_arn}/*/*"
}

# The page

resource "aws_apigatewayv2_api" "page" {
  name          = "chat-page"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "page" {
  api_id                 = aws_apigatewayv2_api.page.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.chat["page"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "page" {
  api_id    = aws_apigatewayv2_api.page.id
  route_key = "GET /"
  target    = "integrations/${aws_apigatewayv2_integration.page.id}"
}

resource "aws_apigatewayv2_stage" "page" {
  api_id      = aws_apigatewayv2_api.page.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "page" {
  statement_id  = "AllowInvokeFromApiGateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.chat["page"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.page.execution_arn}/*/*"
}

output "page_url" {
  value = "${aws_apigatewayv2_api.page.api_endpoint}/"
}

output "websocket_url" {
  value = local.websocket_url
}
