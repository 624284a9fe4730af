# A REST API with everything that belongs to one. `step` 2 changes what can be
# changed in place, `step` 3 takes away what can be taken away.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "step" {
  type    = number
  default = 1
}

# Where integrations of the API lead, as a URL.
variable "backend" {
  type = string
}

provider "aws" {
  skip_metadata_api_check = true
}

locals {
  first   = var.step == 1
  changed = var.step == 2
  last    = var.step == 3
}

resource "aws_api_gateway_rest_api" "pets" {
  name                         = "pets ${var.step}"
  description                  = local.last ? null : "Pets of step ${var.step}"
  binary_media_types           = local.first ? ["image/png"] : local.changed ? ["image/png", "application/octet-stream"] : []
  minimum_compression_size     = local.last ? null : 1024 * var.step
  api_key_source               = "HEADER"
  disable_execute_api_endpoint = local.changed ? false : null
  tags                         = local.last ? {} : { step = var.step, team = "pets" }

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_rest_api_policy" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = local.first ? "execute-api:Invoke" : "execute-api:*"
      Resource  = "${aws_api_gateway_rest_api.pets.execution_arn}/*"
    }]
  })
}

resource "aws_api_gateway_resource" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  parent_id   = aws_api_gateway_rest_api.pets.root_resource_id
  path_part   = "pets"
}

resource "aws_api_gateway_resource" "pet" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  parent_id   = aws_api_gateway_resource.pets.id
  path_part   = local.first ? "{pet}" : "{id}"
}

resource "aws_api_gateway_model" "pet" {
  rest_api_id  = aws_api_gateway_rest_api.pets.id
  name         = "Pet"
  description  = "A pet of step ${var.step}"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    title      = "pet ${var.step}"
    type       = "object"
    required   = ["kind"]
    properties = { kind = { type = "string" } }
  })
}

resource "aws_api_gateway_model" "pets" {
  rest_api_id  = aws_api_gateway_rest_api.pets.id
  name         = "Pets"
  content_type = "application/json"
  schema = jsonencode({
    type  = "array"
    items = { "$ref" = "https://apigateway.amazonaws.com/restapis/${aws_api_gateway_rest_api.pets.id}/models/${aws_api_gateway_model.pet.name}" }
  })
}

resource "aws_api_gateway_request_validator" "body" {
  rest_api_id                 = aws_api_gateway_rest_api.pets.id
  name                        = "validator ${var.step}"
  validate_request_body       = true
  validate_request_parameters = local.changed
}

resource "aws_api_gateway_authorizer" "token" {
  rest_api_id                      = aws_api_gateway_rest_api.pets.id
  name                             = "token-${var.step}"
  authorizer_uri                   = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:token/invocations"
  authorizer_credentials           = local.changed ? "arn:aws:iam::000000000000:role/caller" : null
  authorizer_result_ttl_in_seconds = local.first ? 300 : 0
  identity_validation_expression   = local.changed ? "^Bearer .+$" : null
}

resource "aws_api_gateway_authorizer" "request" {
  rest_api_id     = aws_api_gateway_rest_api.pets.id
  name            = "request"
  type            = "REQUEST"
  authorizer_uri  = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:request/invocations"
  identity_source = local.first ? "method.request.header.Authorization" : "method.request.header.Authorization,context.identity.sourceIp"
}

resource "aws_api_gateway_authorizer" "pool" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  name        = "pool"
  type        = "COGNITO_USER_POOLS"
  provider_arns = local.first ? ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_one"] : [
    "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_two",
    "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_three",
  ]
}

# GET /pets answers without a backend; it asks for an API key.
resource "aws_api_gateway_method" "list" {
  rest_api_id      = aws_api_gateway_rest_api.pets.id
  resource_id      = aws_api_gateway_resource.pets.id
  http_method      = "GET"
  authorization    = "NONE"
  api_key_required = true
  operation_name   = local.last ? null : "ListPets${var.step}"
  request_parameters = local.first ? { "method.request.querystring.kind" = false } : {
    "method.request.querystring.kind" = false
    "method.request.header.X-Page"    = false
  }
}

resource "aws_api_gateway_method_response" "list" {
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  resource_id         = aws_api_gateway_resource.pets.id
  http_method         = aws_api_gateway_method.list.http_method
  status_code         = "200"
  response_models     = { "application/json" = local.first ? "Empty" : aws_api_gateway_model.pets.name }
  response_parameters = local.last ? {} : { "method.response.header.X-Step" = local.first }
}

resource "aws_api_gateway_integration" "list" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  resource_id = aws_api_gateway_resource.pets.id
  http_method = aws_api_gateway_method.list.http_method
  type        = "MOCK"
  request_templates = {
    "application/json" = jsonencode({ statusCode = 200, step = var.step })
  }
}

resource "aws_api_gateway_integration_response" "list" {
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  resource_id         = aws_api_gateway_resource.pets.id
  http_method         = aws_api_gateway_method.list.http_method
  status_code         = aws_api_gateway_method_response.list.status_code
  response_templates  = { "application/json" = jsonencode({ pets = ["cat", "dog"], step = var.step }) }
  response_parameters = local.last ? {} : { "method.response.header.X-Step" = "'${var.step}'" }

  depends_on = [aws_api_gateway_integration.list]
}

# POST /pets checks the body; GET /pets/{id} calls the backend.
resource "aws_api_gateway_method" "create" {
  rest_api_id          = aws_api_gateway_rest_api.pets.id
  resource_id          = aws_api_gateway_resource.pets.id
  http_method          = "POST"
  authorization        = local.changed ? "CUSTOM" : "NONE"
  authorizer_id        = local.changed ? aws_api_gateway_authorizer.token.id : null
  request_validator_id = local.last ? null : aws_api_gateway_request_validator.body.id
  request_models       = { "application/json" = aws_api_gateway_model.pet.name }
}

resource "aws_api_gateway_integration" "create" {
  rest_api_id             = aws_api_gateway_rest_api.pets.id
  resource_id             = aws_api_gateway_resource.pets.id
  http_method             = aws_api_gateway_method.create.http_method
  type                    = "HTTP"
  integration_http_method = "POST"
  uri                     = "${var.backend}/create/${var.step}"
  passthrough_behavior    = "NEVER"
  request_templates       = local.changed ? { "application/json" = "$input.json('$')", "text/plain" = "$input.body" } : { "application/json" = "$input.json('$')" }
}

resource "aws_api_gateway_method_response" "create" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  resource_id = aws_api_gateway_resource.pets.id
  http_method = aws_api_gateway_method.create.http_method
  status_code = "201"
}

resource "aws_api_gateway_integration_response" "create" {
  rest_api_id       = aws_api_gateway_rest_api.pets.id
  resource_id       = aws_api_gateway_resource.pets.id
  http_method       = aws_api_gateway_method.create.http_method
  status_code       = aws_api_gateway_method_response.create.status_code
  selection_pattern = local.first ? "2\\d\\d" : ""

  depends_on = [aws_api_gateway_integration.create]
}

resource "aws_api_gateway_method" "get" {
  rest_api_id        = aws_api_gateway_rest_api.pets.id
  resource_id        = aws_api_gateway_resource.pet.id
  http_method        = "GET"
  authorization      = "NONE"
  request_parameters = { "method.request.path.${local.first ? "pet" : "id"}" = true }
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.pets.id
  resource_id             = aws_api_gateway_resource.pet.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "HTTP_PROXY"
  integration_http_method = "GET"
  uri                     = "${var.backend}/step${var.step}/{id}"
  timeout_milliseconds    = local.first ? 29000 : 5000
  cache_key_parameters    = local.changed ? ["method.request.path.id"] : []
  request_parameters      = { "integration.request.path.id" = "method.request.path.${local.first ? "pet" : "id"}" }
}

resource "aws_api_gateway_gateway_response" "missing" {
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  response_type       = "MISSING_AUTHENTICATION_TOKEN"
  status_code         = local.first ? "404" : "410"
  response_templates  = { "application/json" = jsonencode({ gone = var.step }) }
  response_parameters = local.last ? {} : { "gatewayresponse.header.X-Step" = "'${var.step}'" }
}

# What isn't given is shown with its default, so the template is given.
resource "aws_api_gateway_gateway_response" "all" {
  count              = local.last ? 0 : 1
  rest_api_id        = aws_api_gateway_rest_api.pets.id
  response_type      = "DEFAULT_4XX"
  response_templates = { "application/json" = "{\"message\":$context.error.messageString}" }
}

resource "aws_api_gateway_deployment" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  description = "step ${var.step}"
  triggers    = { step = var.step }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [
    aws_api_gateway_integration_response.list, aws_api_gateway_integration_response.create, aws_api_gateway_integration.get,
    aws_api_gateway_rest_api_policy.pets, aws_api_gateway_gateway_response.missing, aws_api_gateway_gateway_response.all,
    aws_api_gateway_method_response.list, aws_api_gateway_method_response.create,
  ]
}

resource "aws_cloudwatch_log_group" "access" {
  name = "pets-access"
}

resource "aws_api_gateway_stage" "live" {
  rest_api_id           = aws_api_gateway_rest_api.pets.id
  deployment_id         = aws_api_gateway_deployment.pets.id
  stage_name            = "live"
  description           = local.last ? null : "live in step ${var.step}"
  variables             = local.first ? { a = "1", b = "2" } : local.changed ? { a = "3" } : null
  xray_tracing_enabled  = local.changed
  client_certificate_id = local.changed ? null : aws_api_gateway_client_certificate.pets.id
  documentation_version = local.last ? aws_api_gateway_documentation_version.two.version : aws_api_gateway_documentation_version.one.version
  tags                  = local.last ? null : { step = var.step }

  dynamic "access_log_settings" {
    for_each = local.last ? [] : [1]
    content {
      destination_arn = aws_cloudwatch_log_group.access.arn
      format          = local.first ? "$context.requestId" : "$context.requestId $context.status"
    }
  }

  dynamic "canary_settings" {
    for_each = local.first ? [] : local.changed ? [0] : []
    content {
      deployment_id            = aws_api_gateway_deployment.pets.id
      percent_traffic          = canary_settings.value
      stage_variable_overrides = { a = "canary" }
      use_stage_cache          = false
    }
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  stage_name  = aws_api_gateway_stage.live.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = local.first
    logging_level          = local.changed ? "ERROR" : "OFF"
    throttling_rate_limit  = local.last ? -1 : 1000 * var.step
    throttling_burst_limit = local.last ? -1 : 500 * var.step
  }
}

resource "aws_api_gateway_method_settings" "list" {
  count       = local.last ? 0 : 1
  rest_api_id = aws_api_gateway_rest_api.pets.id
  stage_name  = aws_api_gateway_stage.live.stage_name
  method_path = "pets/GET"

  settings {
    throttling_rate_limit  = 100.5
    throttling_burst_limit = 50 + var.step
  }
}

resource "aws_api_gateway_client_certificate" "pets" {
  description = "certificate of step ${var.step}"
  tags        = local.last ? null : { step = var.step }
}

resource "aws_api_gateway_account" "here" {
  cloudwatch_role_arn = local.last ? null : "arn:aws:iam::000000000000:role/logs-${var.step}"
}
