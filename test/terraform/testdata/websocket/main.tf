# A WebSocket API with every kind of part it can have. `step` changes most of them
# in place.

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

locals {
  first    = var.step == 1
  function = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:nobody/invocations"
}

resource "aws_apigatewayv2_api" "rooms" {
  name                         = "rooms"
  description                  = "step ${var.step}"
  protocol_type                = "WEBSOCKET"
  route_selection_expression   = local.first ? "$request.body.action" : "$${request.body.action}"
  api_key_selection_expression = "$request.header.x-api-key"
  tags                         = { step = var.step }
}

resource "aws_apigatewayv2_model" "room" {
  api_id       = aws_apigatewayv2_api.rooms.id
  name         = "Room"
  description  = "step ${var.step}"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    type       = "object"
    required   = ["room"]
    properties = { room = { type = local.first ? "string" : "integer" } }
  })
}

resource "aws_apigatewayv2_integration" "mock" {
  api_id                        = aws_apigatewayv2_api.rooms.id
  integration_type              = "MOCK"
  template_selection_expression = "\\$default"
  request_templates             = { "$default" = jsonencode({ statusCode = 200 }) }
}

resource "aws_apigatewayv2_integration_response" "mock" {
  api_id                        = aws_apigatewayv2_api.rooms.id
  integration_id                = aws_apigatewayv2_integration.mock.id
  integration_response_key      = local.first ? "/200/" : "$default"
  template_selection_expression = "$${integration.response.statuscode}"
  response_templates = {
    "200" = "step ${var.step}, room $input.path('$.room')"
  }
}

resource "aws_apigatewayv2_integration" "bare" {
  api_id           = aws_apigatewayv2_api.rooms.id
  integration_type = "MOCK"
}

resource "aws_apigatewayv2_integration" "http" {
  api_id                        = aws_apigatewayv2_api.rooms.id
  integration_type              = "HTTP"
  description                   = "step ${var.step}"
  content_handling_strategy     = "CONVERT_TO_TEXT"
  integration_method            = local.first ? "PUT" : "POST"
  integration_uri               = "${var.backend}/step${var.step}/{room}"
  passthrough_behavior          = local.first ? "WHEN_NO_MATCH" : "WHEN_NO_TEMPLATES"
  template_selection_expression = "$request.body.kind"
  timeout_milliseconds          = local.first ? 28999 : 5000
  request_parameters = {
    "integration.request.path.room"     = "route.request.body.room"
    "integration.request.header.x-id"   = "context.connectionId"
    "integration.request.querystring.v" = "'value${var.step}'"
  }
  request_templates = {
    "plain"    = "plain $input.path('$.text')"
    "$default" = "other"
  }
}

resource "aws_apigatewayv2_integration_response" "http" {
  api_id                    = aws_apigatewayv2_api.rooms.id
  integration_id            = aws_apigatewayv2_integration.http.id
  integration_response_key  = "$default"
  content_handling_strategy = "CONVERT_TO_TEXT"
}

resource "aws_apigatewayv2_integration" "proxy" {
  api_id             = aws_apigatewayv2_api.rooms.id
  integration_type   = "HTTP_PROXY"
  integration_method = "POST"
  integration_uri    = "${var.backend}/connect"
}

resource "aws_apigatewayv2_integration" "function" {
  api_id                    = aws_apigatewayv2_api.rooms.id
  integration_type          = "AWS"
  connection_type           = "INTERNET"
  content_handling_strategy = "CONVERT_TO_TEXT"
  description               = "nobody"
  integration_uri           = local.function
  passthrough_behavior      = "WHEN_NO_MATCH"
}

resource "aws_apigatewayv2_integration" "function_proxy" {
  api_id           = aws_apigatewayv2_api.rooms.id
  integration_type = "AWS_PROXY"
  integration_uri  = local.function
}

resource "aws_apigatewayv2_authorizer" "guard" {
  api_id           = aws_apigatewayv2_api.rooms.id
  name             = "guard"
  authorizer_type  = "REQUEST"
  authorizer_uri   = local.function
  identity_sources = ["route.request.header.Auth", "route.request.querystring.step${var.step}"]
}

resource "aws_apigatewayv2_route" "connect" {
  api_id    = aws_apigatewayv2_api.rooms.id
  route_key = "$connect"
  target    = "integrations/${aws_apigatewayv2_integration.proxy.id}"

  request_parameter {
    request_parameter_key = "route.request.querystring.token"
    required              = true
  }
  dynamic "request_parameter" {
    for_each = local.first ? ["route.request.header.x-first"] : []
    content {
      request_parameter_key = request_parameter.value
      required              = false
    }
  }
}

resource "aws_apigatewayv2_route" "default" {
  api_id                              = aws_apigatewayv2_api.rooms.id
  route_key                           = "$default"
  target                              = "integrations/${aws_apigatewayv2_integration.mock.id}"
  operation_name                      = "Default${var.step}"
  route_response_selection_expression = "$default"
  model_selection_expression          = "\\$default"
  request_models                      = { "$default" = aws_apigatewayv2_model.room.name }
}

resource "aws_apigatewayv2_route_response" "default" {
  api_id                     = aws_apigatewayv2_api.rooms.id
  route_id                   = aws_apigatewayv2_route.default.id
  route_response_key         = "$default"
  model_selection_expression = "action"
  response_models            = { test = aws_apigatewayv2_model.room.name }
}

resource "aws_apigatewayv2_route" "post" {
  api_id                              = aws_apigatewayv2_api.rooms.id
  route_key                           = local.first ? "post" : "put"
  target                              = "integrations/${aws_apigatewayv2_integration.http.id}"
  api_key_required                    = local.first
  route_response_selection_expression = "$default"
}

resource "aws_apigatewayv2_route_response" "post" {
  api_id             = aws_apigatewayv2_api.rooms.id
  route_id           = aws_apigatewayv2_route.post.id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_route" "untargeted" {
  api_id    = aws_apigatewayv2_api.rooms.id
  route_key = "$disconnect"
}

resource "aws_apigatewayv2_deployment" "rooms" {
  api_id      = aws_apigatewayv2_api.rooms.id
  description = "step ${var.step}"
  triggers    = { step = var.step }

  lifecycle {
    create_before_destroy = true
  }
  depends_on = [
    aws_apigatewayv2_route.connect, aws_apigatewayv2_route.default, aws_apigatewayv2_route.post, aws_apigatewayv2_route.untargeted,
    aws_apigatewayv2_route_response.default, aws_apigatewayv2_route_response.post,
    aws_apigatewayv2_integration_response.mock, aws_apigatewayv2_integration_response.http,
  ]
}

resource "aws_apigatewayv2_stage" "live" {
  api_id          = aws_apigatewayv2_api.rooms.id
  name            = "live"
  deployment_id   = aws_apigatewayv2_deployment.rooms.id
  description     = "step ${var.step}"
  stage_variables = { step = var.step }

  default_route_settings {
    data_trace_enabled       = !local.first
    detailed_metrics_enabled = local.first
    logging_level            = local.first ? "ERROR" : "INFO"
    throttling_burst_limit   = 100
    throttling_rate_limit    = 50.5
  }
  dynamic "route_settings" {
    for_each = local.first ? ["$default"] : []
    content {
      route_key              = route_settings.value
      throttling_burst_limit = 10
      throttling_rate_limit  = 10
    }
  }
}

# A stage that says nothing, one that follows every edit, and an authorizer's API.
resource "aws_apigatewayv2_stage" "plain" {
  api_id        = aws_apigatewayv2_api.rooms.id
  name          = "plain"
  deployment_id = aws_apigatewayv2_deployment.rooms.id
}

resource "aws_apigatewayv2_stage" "auto" {
  api_id      = aws_apigatewayv2_api.rooms.id
  name        = "auto"
  auto_deploy = true
  depends_on  = [aws_apigatewayv2_deployment.rooms]
}

resource "aws_apigatewayv2_api" "guarded" {
  name                       = "guarded"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_authorizer" "guarded" {
  api_id          = aws_apigatewayv2_api.guarded.id
  name            = "guarded"
  authorizer_type = "REQUEST"
  authorizer_uri  = local.function
}

resource "aws_apigatewayv2_route" "guarded" {
  api_id             = aws_apigatewayv2_api.guarded.id
  route_key          = "$connect"
  authorization_type = local.first ? "CUSTOM" : "AWS_IAM"
  authorizer_id      = local.first ? aws_apigatewayv2_authorizer.guarded.id : null
}

data "aws_apigatewayv2_api" "rooms" {
  api_id = aws_apigatewayv2_api.rooms.id
}

output "api" {
  value = aws_apigatewayv2_api.rooms.id
}

output "endpoint" {
  value = data.aws_apigatewayv2_api.rooms.api_endpoint
}

output "selections" {
  value = join(" ", [
    aws_apigatewayv2_integration.bare.integration_response_selection_expression,
    aws_apigatewayv2_integration.http.integration_response_selection_expression,
    aws_apigatewayv2_integration.function.integration_response_selection_expression,
    "[${aws_apigatewayv2_integration.function_proxy.integration_response_selection_expression}]",
    aws_apigatewayv2_integration.bare.passthrough_behavior,
    aws_apigatewayv2_integration.bare.timeout_milliseconds,
    aws_apigatewayv2_integration.bare.payload_format_version,
    aws_apigatewayv2_integration.function.integration_method,
  ])
}
