# An HTTP API that is guarded: authorizers and the routes that ask for them,
# CORS, throttles, access logs, and a stage that is moved from deployment to
# deployment. `step` 2 changes all of it in place, `step` 3 takes away what is
# optional.

resource "aws_apigatewayv2_api" "guarded" {
  name          = "guarded"
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = var.step < 3 ? [1] : []
    content {
      allow_origins     = var.step == 1 ? ["https://one.example"] : ["https://two.example", "http://*"]
      allow_methods     = var.step == 1 ? ["GET"] : ["GET", "POST"]
      allow_headers     = ["authorization", "x-key"]
      expose_headers    = var.step == 1 ? ["x-trace"] : null
      max_age           = 300 * var.step
      allow_credentials = var.step == 1
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.guarded.id
  name             = "jwt-${var.step}"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.backend
    audience = var.step == 1 ? ["one"] : ["one", "two"]
  }
}

resource "aws_apigatewayv2_authorizer" "request" {
  api_id                            = aws_apigatewayv2_api.guarded.id
  name                              = "request"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_alias.live.invoke_arn
  authorizer_payload_format_version = var.step == 1 ? "1.0" : "2.0"
  enable_simple_responses           = var.step > 1
  identity_sources                  = var.step < 3 ? ["$request.header.X-Key", "$context.routeKey"] : null
  authorizer_result_ttl_in_seconds  = var.step == 1 ? 300 : 0
  authorizer_credentials_arn        = var.step < 3 ? aws_iam_role.function.arn : null
}

resource "aws_apigatewayv2_integration" "guarded" {
  api_id             = aws_apigatewayv2_api.guarded.id
  integration_type   = "HTTP_PROXY"
  integration_method = "GET"
  integration_uri    = "${var.backend}/guarded"
}

resource "aws_apigatewayv2_route" "jwt" {
  api_id               = aws_apigatewayv2_api.guarded.id
  route_key            = "GET /jwt"
  target               = "integrations/${aws_apigatewayv2_integration.guarded.id}"
  authorization_type   = var.step < 3 ? "JWT" : "NONE"
  authorizer_id        = var.step < 3 ? aws_apigatewayv2_authorizer.jwt.id : null
  authorization_scopes = var.step == 1 ? ["read", "write"] : var.step == 2 ? ["read"] : null
}

resource "aws_apigatewayv2_route" "request" {
  api_id             = aws_apigatewayv2_api.guarded.id
  route_key          = "GET /request"
  target             = "integrations/${aws_apigatewayv2_integration.guarded.id}"
  authorization_type = var.step < 3 ? "CUSTOM" : "AWS_IAM"
  authorizer_id      = var.step < 3 ? aws_apigatewayv2_authorizer.request.id : null
}

resource "aws_apigatewayv2_route" "open" {
  api_id    = aws_apigatewayv2_api.guarded.id
  route_key = "GET /open"
  target    = "integrations/${aws_apigatewayv2_integration.guarded.id}"
}

resource "aws_apigatewayv2_deployment" "guarded" {
  api_id = aws_apigatewayv2_api.guarded.id

  # Not whole resources: what is empty is null in the provider's plan and isn't
  # in what it reads.
  triggers = {
    cors        = jsonencode([for c in aws_apigatewayv2_api.guarded.cors_configuration : [c.allow_origins, c.max_age]])
    integration = aws_apigatewayv2_integration.guarded.integration_uri
    routes = jsonencode([
      for r in [aws_apigatewayv2_route.jwt, aws_apigatewayv2_route.request, aws_apigatewayv2_route.open] :
      [r.route_key, r.authorization_type, coalesce(r.authorizer_id, "none"), try(join(" ", r.authorization_scopes), "")]
    ])
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "guarded" {
  api_id          = aws_apigatewayv2_api.guarded.id
  name            = "guarded"
  deployment_id   = aws_apigatewayv2_deployment.guarded.id
  description     = var.step < 3 ? "step ${var.step}" : null
  stage_variables = var.step < 3 ? { step = tostring(var.step) } : null

  dynamic "access_log_settings" {
    for_each = var.step < 3 ? [1] : []
    content {
      destination_arn = aws_cloudwatch_log_group.access.arn
      format          = "$context.requestId step ${var.step}"
    }
  }

  # Not taken away in step 3: the provider does that with limits of zero, which
  # throttle everything.
  default_route_settings {
    throttling_burst_limit   = 100 * var.step
    throttling_rate_limit    = 50.5 * var.step
    detailed_metrics_enabled = var.step == 2
  }

  dynamic "route_settings" {
    for_each = var.step == 1 ? [aws_apigatewayv2_route.open.route_key, aws_apigatewayv2_route.jwt.route_key] : var.step == 2 ? [aws_apigatewayv2_route.open.route_key] : []
    content {
      route_key                = route_settings.value
      throttling_burst_limit   = 10 * var.step
      throttling_rate_limit    = 20
      detailed_metrics_enabled = true
    }
  }
}

resource "aws_apigatewayv2_stage" "automatic" {
  api_id      = aws_apigatewayv2_api.guarded.id
  name        = "$default"
  auto_deploy = true

  depends_on = [aws_apigatewayv2_route.open]
}

output "guarded_api_id" {
  value = aws_apigatewayv2_api.guarded.id
}
