# A queue behind a route, and a stage that caches what comes through a VPC link of
# version 1. `step` 2 changes what can be changed in place.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "step" {
  type    = number
  default = 1
}

variable "ports" {
  type        = list(string)
  description = "Where the targets listen, on 127.0.0.1."
}

variable "queue" {
  type = string
}

provider "aws" {
  region = "us-east-1"
}

locals {
  second = var.step == 2
}

resource "aws_lb" "network" {
  name               = "network"
  internal           = true
  load_balancer_type = "network"
  subnets            = ["subnet-1a2b3c4d"]
  tags               = { step = var.step }
}

resource "aws_lb_target_group" "tcp" {
  name        = "tcp"
  port        = 80
  protocol    = "TCP"
  target_type = "ip"
  vpc_id      = "vpc-12345678"

  health_check {
    protocol            = "HTTP"
    path                = "/health"
    interval            = local.second ? 15 : 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group_attachment" "tcp" {
  for_each         = toset(var.ports)
  target_group_arn = aws_lb_target_group.tcp.arn
  target_id        = "127.0.0.1"
  port             = each.key
}

resource "aws_lb_listener" "network" {
  load_balancer_arn = aws_lb.network.arn
  port              = 80
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tcp.arn
  }
}

resource "aws_apigatewayv2_api" "http" {
  name          = "private"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_iam_role" "sender" {
  name = "sender"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "sender" {
  role = aws_iam_role.sender.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }]
  })
}

resource "aws_apigatewayv2_integration" "queue" {
  api_id              = aws_apigatewayv2_api.http.id
  integration_type    = "AWS_PROXY"
  integration_subtype = "SQS-SendMessage"
  credentials_arn     = aws_iam_role.sender.arn
  request_parameters = {
    QueueUrl    = var.queue
    MessageBody = local.second ? "$request.path.message" : "fixed"
  }
}

resource "aws_apigatewayv2_route" "queue" {
  api_id    = aws_apigatewayv2_api.http.id
  route_key = "GET /queue/{message}"
  target    = "integrations/${aws_apigatewayv2_integration.queue.id}"
}

resource "aws_api_gateway_vpc_link" "network" {
  name        = "network-${var.step}"
  target_arns = [aws_lb.network.arn]
}

resource "aws_api_gateway_rest_api" "rest" {
  name = "private"
}

resource "aws_api_gateway_resource" "book" {
  rest_api_id = aws_api_gateway_rest_api.rest.id
  parent_id   = aws_api_gateway_rest_api.rest.root_resource_id
  path_part   = "{id}"
}

resource "aws_api_gateway_method" "get" {
  rest_api_id   = aws_api_gateway_rest_api.rest.id
  resource_id   = aws_api_gateway_resource.book.id
  http_method   = "GET"
  authorization = "NONE"
  request_parameters = {
    "method.request.path.id"       = true
    "method.request.querystring.q" = false
  }
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.rest.id
  resource_id             = aws_api_gateway_resource.book.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "HTTP_PROXY"
  integration_http_method = "GET"
  uri                     = "http://books.internal/v1/{id}"
  connection_type         = "VPC_LINK"
  connection_id           = aws_api_gateway_vpc_link.network.id
  cache_key_parameters    = ["method.request.path.id", "method.request.querystring.q"]
  cache_namespace         = "books"
  request_parameters      = { "integration.request.path.id" = "method.request.path.id" }
}

resource "aws_api_gateway_deployment" "rest" {
  rest_api_id = aws_api_gateway_rest_api.rest.id
  depends_on  = [aws_api_gateway_integration.get]
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id           = aws_api_gateway_rest_api.rest.id
  deployment_id         = aws_api_gateway_deployment.rest.id
  stage_name            = "prod"
  cache_cluster_enabled = true
  cache_cluster_size    = local.second ? "1.6" : "0.5"
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.rest.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"

  settings {
    caching_enabled                            = true
    cache_ttl_in_seconds                       = local.second ? 120 : 60
    cache_data_encrypted                       = local.second
    unauthorized_cache_control_header_strategy = "SUCCEED_WITH_RESPONSE_HEADER"
  }
}

output "http_api" {
  value = aws_apigatewayv2_api.http.id
}

output "rest_api" {
  value = aws_api_gateway_rest_api.rest.id
}
