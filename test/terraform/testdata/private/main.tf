# An HTTP API with an application load balancer and a Cloud Map service behind it,
# and a REST API's link to a network load balancer. `step` 2 changes what can be
# changed in place.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

variable "step" {
  type    = number
  default = 1
}

variable "port" {
  type    = number
  default = 80
}

output "api" {
  value = aws_apigatewayv2_api.a.id
}

resource "aws_apigatewayv2_vpc_link" "l" {
  name               = "link-${var.step}"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = []
  tags               = { a = "b" }
}

resource "aws_lb" "app" {
  name               = "app"
  internal           = true
  load_balancer_type = "application"
  subnets            = ["subnet-1", "subnet-2"]
  tags               = { a = "b" }
}

resource "aws_lb_target_group" "tg" {
  name        = "tg"
  port        = 8080
  protocol    = "HTTP"
  vpc_id      = "vpc-1"
  target_type = "ip"
  health_check {
    path     = var.step == 1 ? "/" : "/healthz"
    interval = 5
    timeout  = 2
  }
}

resource "aws_lb_target_group_attachment" "a" {
  target_group_arn = aws_lb_target_group.tg.arn
  target_id        = "127.0.0.1"
  port             = var.port
}

resource "aws_lb_listener" "l" {
  load_balancer_arn = aws_lb.app.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tg.arn
  }
}

resource "aws_lb_listener_rule" "r" {
  listener_arn = aws_lb_listener.l.arn
  priority     = 10
  condition {
    path_pattern { values = ["/fixed"] }
  }
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "fixed-${var.step}"
      status_code  = "200"
    }
  }
}

resource "aws_lb" "net" {
  name               = "net"
  internal           = true
  load_balancer_type = "network"
  subnets            = ["subnet-1"]
}

resource "aws_lb_target_group" "ntg" {
  name        = "ntg"
  port        = 8080
  protocol    = "TCP"
  vpc_id      = "vpc-1"
  target_type = "ip"
}

resource "aws_lb_listener" "n" {
  load_balancer_arn = aws_lb.net.arn
  port              = 8080
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.ntg.arn
  }
}

resource "aws_api_gateway_vpc_link" "v" {
  name        = "link-${var.step}"
  target_arns = [aws_lb.net.arn]
}

resource "aws_service_discovery_http_namespace" "ns" { name = "corp" }

resource "aws_service_discovery_service" "s" {
  name         = "pets"
  namespace_id = aws_service_discovery_http_namespace.ns.id
}

resource "aws_service_discovery_instance" "i" {
  instance_id = "i1"
  service_id  = aws_service_discovery_service.s.id
  attributes  = { AWS_INSTANCE_IPV4 = "127.0.0.1", AWS_INSTANCE_PORT = tostring(var.port) }
}

resource "aws_apigatewayv2_api" "a" {
  name          = "a"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "i" {
  api_id             = aws_apigatewayv2_api.a.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.l.id
  integration_uri    = aws_lb_listener.l.arn
}

resource "aws_apigatewayv2_integration" "t" {
  api_id             = aws_apigatewayv2_api.a.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.l.id
  integration_uri    = aws_service_discovery_service.s.arn
  tls_config { server_name_to_verify = "x.test" }
}

resource "aws_apigatewayv2_route" "r" {
  api_id    = aws_apigatewayv2_api.a.id
  route_key = "ANY /{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.i.id}"
}

resource "aws_apigatewayv2_integration" "s" {
  api_id             = aws_apigatewayv2_api.a.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.l.id
  integration_uri    = aws_service_discovery_service.s.arn
}

resource "aws_apigatewayv2_route" "service" {
  api_id    = aws_apigatewayv2_api.a.id
  route_key = "GET /service"
  target    = "integrations/${aws_apigatewayv2_integration.s.id}"
}

resource "aws_apigatewayv2_stage" "s" {
  api_id      = aws_apigatewayv2_api.a.id
  name        = "$default"
  auto_deploy = true
}
