# A REST API that partners call with an API key: each key belongs to a usage
# plan, which says how often and how much. The same file works on AWS and on
# Gatehouse. For Gatehouse, point the provider at it first:
#
#   export AWS_ENDPOINT_URL=http://127.0.0.1:4566
#   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
#
# `./try` then calls the API as two partners.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  # Gatehouse has no instance metadata; on AWS this line does no harm.
  skip_metadata_api_check = true
}

resource "aws_api_gateway_rest_api" "orders" {
  name = "orders"
}

resource "aws_api_gateway_resource" "order" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_rest_api.orders.root_resource_id
  path_part   = "{order}"
}

resource "aws_api_gateway_method" "get" {
  rest_api_id      = aws_api_gateway_rest_api.orders.id
  resource_id      = aws_api_gateway_resource.order.id
  http_method      = "GET"
  authorization    = "NONE"
  api_key_required = true
}

# The gateway answers by itself, so that there is nothing else to run.
resource "aws_api_gateway_integration" "get" {
  rest_api_id       = aws_api_gateway_rest_api.orders.id
  resource_id       = aws_api_gateway_resource.order.id
  http_method       = aws_api_gateway_method.get.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

resource "aws_api_gateway_method_response" "ok" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  resource_id = aws_api_gateway_resource.order.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = "200"
}

resource "aws_api_gateway_integration_response" "ok" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  resource_id = aws_api_gateway_resource.order.id
  http_method = aws_api_gateway_integration.get.http_method
  status_code = aws_api_gateway_method_response.ok.status_code
  response_templates = {
    "application/json" = "{\"order\": \"$input.params('order')\", \"key\": \"$context.identity.apiKeyId\"}"
  }
}

resource "aws_api_gateway_deployment" "orders" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  # A deployment is a snapshot: whatever changes here is deployed again.
  triggers   = { definition = filesha1("${path.module}/main.tf") }
  depends_on = [aws_api_gateway_integration_response.ok]
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "v1" {
  rest_api_id   = aws_api_gateway_rest_api.orders.id
  deployment_id = aws_api_gateway_deployment.orders.id
  stage_name    = "v1"
}

# What partners may use: five orders a day to try the API, or a thousand.
locals {
  plans    = { trial = 5, standard = 1000 }
  partners = { acme = "trial", globex = "standard" }
}

resource "aws_api_gateway_usage_plan" "plan" {
  for_each = local.plans
  name     = each.key
  api_stages {
    api_id = aws_api_gateway_rest_api.orders.id
    stage  = aws_api_gateway_stage.v1.stage_name
  }
  quota_settings {
    limit  = each.value
    period = "DAY"
  }
  throttle_settings {
    rate_limit  = 50
    burst_limit = 20
  }
}

resource "aws_api_gateway_api_key" "partner" {
  for_each = local.partners
  name     = each.key
}

resource "aws_api_gateway_usage_plan_key" "partner" {
  for_each      = local.partners
  key_id        = aws_api_gateway_api_key.partner[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.plan[each.value].id
}

output "url" {
  value = aws_api_gateway_stage.v1.invoke_url
}

output "api_id" {
  value = aws_api_gateway_rest_api.orders.id
}

output "keys" {
  value     = { for name, key in aws_api_gateway_api_key.partner : name => { id = key.id, value = key.value } }
  sensitive = true
}

output "plans" {
  value = { for name, plan in aws_api_gateway_usage_plan.plan : name => plan.id }
}
