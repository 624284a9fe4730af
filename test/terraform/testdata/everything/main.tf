# Every resource of the first round, with the arguments people set. `step` 2
# changes what can be changed in place.

terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    archive = { source = "hashicorp/archive" }
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

  default_tags {
    tags = { project = "everything" }
  }
}

data "aws_caller_identity" "me" {}

data "archive_file" "function" {
  type        = "zip"
  source_dir  = "${path.module}/function"
  output_path = "${path.module}/function.zip"
}

resource "aws_iam_role" "function" {
  name                 = "everything-function"
  path                 = "/service/"
  description          = "step ${var.step}"
  max_session_duration = var.step == 1 ? 3600 : 7200
  tags                 = { step = tostring(var.step) }

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  inline_policy {
    name = "inline"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["s3:Get*"], Resource = "*" }]
    })
  }
}

resource "aws_iam_policy" "own" {
  name        = "everything-own"
  description = "a policy with a + and a space"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.step == 1 ? "sqs:SendMessage" : "sqs:*", Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.function.name
  policy_arn = aws_iam_policy.own.arn
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "more" {
  name = "more"
  role = aws_iam_role.second.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Deny", Action = "dynamodb:*", Resource = ["arn:aws:dynamodb:*:*:table/t${var.step}"] }]
  })
}

resource "aws_iam_role" "second" {
  name_prefix        = "everything-"
  assume_role_policy = aws_iam_role.function.assume_role_policy
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/everything/function"
  retention_in_days = var.step == 1 ? 7 : 30
  tags              = { step = tostring(var.step) }
}

resource "aws_cloudwatch_log_group" "access" {
  name = "/everything/access"
}

resource "aws_lambda_layer_version" "layer" {
  layer_name          = "everything"
  filename            = data.archive_file.function.output_path
  source_code_hash    = data.archive_file.function.output_base64sha256
  compatible_runtimes = ["nodejs20.x"]
  description         = "a layer"
  license_info        = "MIT"
}

resource "aws_lambda_function" "function" {
  function_name                  = "everything"
  role                           = aws_iam_role.function.arn
  runtime                        = "nodejs20.x"
  handler                        = "index.handler"
  filename                       = data.archive_file.function.output_path
  source_code_hash               = data.archive_file.function.output_base64sha256
  description                    = "step ${var.step}"
  memory_size                    = var.step == 1 ? 256 : 512
  timeout                        = 10
  publish                        = true
  layers                         = [aws_lambda_layer_version.layer.arn]
  reserved_concurrent_executions = var.step == 1 ? 5 : -1
  tags                           = { step = tostring(var.step) }

  environment {
    variables = { GREETING = "step ${var.step}" }
  }

  ephemeral_storage {
    size = 1024
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  tracing_config {
    mode = "PassThrough"
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "step ${var.step}"
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.api.execution_arn}/*/*"
}

resource "aws_lambda_function_event_invoke_config" "function" {
  function_name                = aws_lambda_function.function.function_name
  maximum_event_age_in_seconds = 600
  maximum_retry_attempts       = var.step - 1
}

resource "aws_apigatewayv2_api" "api" {
  name          = "everything"
  protocol_type = "HTTP"
  description   = "step ${var.step}"
  version       = "v${var.step}"
  tags          = { step = tostring(var.step) }
}

resource "aws_apigatewayv2_integration" "function" {
  api_id                 = aws_apigatewayv2_api.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live.invoke_arn
  payload_format_version = "2.0"
  description            = "step ${var.step}"
  timeout_milliseconds   = var.step == 1 ? 20000 : 10000

  request_parameters = var.step == 1 ? {
    "overwrite:header.x-mapped" = "$stageVariables.two"
    "append:querystring.q"      = "from $${request.path} in $${context.stage}"
    } : {
    "overwrite:header.x-mapped" = "$${stageVariables.two}!"
  }
}

resource "aws_apigatewayv2_integration" "backend" {
  api_id             = aws_apigatewayv2_api.api.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = "${var.backend}/{proxy}"

  request_parameters = {
    "append:header.x-id"               = "$context.requestId"
    "overwrite:path"                   = var.step == 1 ? "/$${request.path.proxy}" : "/two/$${request.path.proxy}"
    "remove:querystring.qs${var.step}" = "''"
  }

  response_parameters {
    status_code = 418
    mappings = {
      "append:header.x-id"   = "$context.requestId"
      "overwrite:statuscode" = "200"
    }
  }

  # Status codes come and go. One whose mappings change loses them until the
  # next apply: the provider sends {} for what it had.
  dynamic "response_parameters" {
    for_each = var.step == 1 ? { 500 = "''" } : { 502 = "''", 503 = "''" }
    content {
      status_code = response_parameters.key
      mappings    = { "remove:header.server" = response_parameters.value }
    }
  }
}

resource "aws_apigatewayv2_route" "function" {
  api_id         = aws_apigatewayv2_api.api.id
  route_key      = var.step == 1 ? "GET /function" : "GET /changed"
  operation_name = "GetFunction"
  target         = "integrations/${aws_apigatewayv2_integration.function.id}"
}

resource "aws_apigatewayv2_route" "backend" {
  api_id    = aws_apigatewayv2_api.api.id
  route_key = "ANY /backend/{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.backend.id}"
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.api.id
  name        = "live"
  auto_deploy = true
  description = "step ${var.step}"

  stage_variables = var.step == 1 ? { one = "1", two = "2" } : { two = "22" }

  default_route_settings {
    throttling_burst_limit = 100 * var.step
    throttling_rate_limit  = 50
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId $context.status"
  }

  tags = { step = tostring(var.step) }
}

resource "aws_apigatewayv2_deployment" "frozen" {
  api_id      = aws_apigatewayv2_api.api.id
  description = "step ${var.step}"

  depends_on = [aws_apigatewayv2_route.function, aws_apigatewayv2_route.backend]
}

resource "aws_apigatewayv2_stage" "frozen" {
  api_id        = aws_apigatewayv2_api.api.id
  name          = "frozen"
  deployment_id = aws_apigatewayv2_deployment.frozen.id
}

output "api_id" {
  value = aws_apigatewayv2_api.api.id
}

output "account" {
  value = data.aws_caller_identity.me.account_id
}
