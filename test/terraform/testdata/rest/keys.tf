# API keys and the usage plans that say which stages they open.

resource "aws_api_gateway_api_key" "made" {
  name        = "made ${var.step}"
  description = "key of step ${var.step}"
  enabled     = !local.changed
  customer_id = local.last ? null : "customer-${var.step}"
  tags        = local.last ? null : { step = var.step }
}

resource "aws_api_gateway_api_key" "given" {
  name  = "given"
  value = "a-value-of-more-than-twenty-characters"
}

resource "aws_api_gateway_usage_plan" "pets" {
  name         = "pets ${var.step}"
  description  = local.last ? null : "plan of step ${var.step}"
  product_code = local.changed ? "MYCODE" : null
  tags         = { step = var.step }

  api_stages {
    api_id = aws_api_gateway_rest_api.pets.id
    stage  = aws_api_gateway_stage.live.stage_name

    dynamic "throttle" {
      for_each = local.last ? [] : [1]
      content {
        path        = "/pets/GET"
        rate_limit  = 10 * var.step
        burst_limit = 5 * var.step
      }
    }
  }

  dynamic "quota_settings" {
    for_each = local.last ? [] : [1]
    content {
      limit  = 5000 * var.step
      offset = local.first ? 0 : 2
      period = local.first ? "DAY" : "WEEK"
    }
  }

  dynamic "throttle_settings" {
    for_each = local.last ? [] : [1]
    content {
      rate_limit  = 100 * var.step
      burst_limit = 50 * var.step
    }
  }
}

resource "aws_api_gateway_usage_plan_key" "made" {
  key_id        = aws_api_gateway_api_key.made.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.pets.id
}

resource "aws_api_gateway_usage_plan_key" "given" {
  count         = local.changed ? 0 : 1
  key_id        = aws_api_gateway_api_key.given.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.pets.id
}
