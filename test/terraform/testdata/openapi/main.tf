# APIs defined by OpenAPI documents: one in a file of its own, one written here.
# `step` 2 changes both documents.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "step" {
  type    = number
  default = 1
}

variable "backend" {
  type = string
}

provider "aws" {
  skip_metadata_api_check = true
}

# What the document says of the API itself is said here, too, as the provider
# wants it.
resource "aws_apigatewayv2_api" "bookshop" {
  name             = "Bookshop"
  version          = "2026.11"
  description      = "Books, customers and orders of a chain of bookshops.\n\n\"Quoted\", and with a second paragraph.\n"
  protocol_type    = "HTTP"
  fail_on_warnings = true
  body             = var.step == 1 ? file("bookshop.yaml") : replace(file("bookshop.yaml"), "  /health:", "  /healthy:")
  tags             = { team = "platform", catalogue = "public", orders = "" }

  cors_configuration {
    allow_origins     = ["https://www.bookshop.example", "https://admin.bookshop.example"]
    allow_methods     = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    allow_headers     = ["authorization", "content-type", "x-request-id"]
    expose_headers    = ["x-total-count", "location"]
    max_age           = 600
    allow_credentials = true
  }
}

resource "aws_apigatewayv2_stage" "bookshop" {
  api_id          = aws_apigatewayv2_api.bookshop.id
  name            = "$default"
  auto_deploy     = true
  stage_variables = { backend = var.backend, index = "titles" }
}

# A document that says next to nothing: what it doesn't say stays as it is here.
resource "aws_apigatewayv2_api" "small" {
  name                         = "small"
  version                      = "1"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = false
  tags                         = { project = "openapi" }

  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "small", version = "1" }
    paths = {
      "/one" = {
        get = {
          "x-amazon-apigateway-integration" = {
            type                 = "http_proxy"
            httpMethod           = "GET"
            uri                  = "http://${var.backend}/step${var.step}"
            payloadFormatVersion = "1.0"
          }
        }
      }
    }
  })

  cors_configuration {
    allow_origins = ["*"]
  }
}

resource "aws_apigatewayv2_deployment" "small" {
  api_id   = aws_apigatewayv2_api.small.id
  triggers = { body = sha256(aws_apigatewayv2_api.small.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "small" {
  api_id        = aws_apigatewayv2_api.small.id
  name          = "live"
  deployment_id = aws_apigatewayv2_deployment.small.id
}

output "bookshop" {
  value = aws_apigatewayv2_api.bookshop.id
}

output "small" {
  value = aws_apigatewayv2_api.small.id
}
