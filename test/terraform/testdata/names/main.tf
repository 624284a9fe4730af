# Domain names of both faces of API Gateway with all that they can be given, and
# certificates of all kinds; with v = 2 what can be changed in place is.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

variable "v" {
  default = 1
}

# A directory with ca.pem, own.pem and own-key.pem.
variable "pki" {
}

locals {
  second = var.v >= 2
}

resource "aws_acm_certificate" "own" {
  private_key      = file("${var.pki}/own-key.pem")
  certificate_body = file("${var.pki}/own.pem")
  tags             = { step = tostring(var.v) }
}

resource "aws_acm_certificate" "mail" {
  domain_name       = "mail.example.test"
  validation_method = "EMAIL"
  key_algorithm     = "EC_prime256v1"
  validation_option {
    domain_name       = "mail.example.test"
    validation_domain = "example.test"
  }
  options {
    certificate_transparency_logging_preference = "DISABLED"
  }
}

resource "aws_acm_certificate" "dns" {
  domain_name               = "*.example.test"
  subject_alternative_names = ["example.test"]
  validation_method         = "DNS"
  lifecycle { create_before_destroy = true }
}

data "aws_acm_certificate" "dns" {
  domain      = "*.example.test"
  statuses    = ["ISSUED"]
  most_recent = true
  depends_on  = [aws_acm_certificate.dns]
}

data "aws_acm_certificate" "mail" {
  domain     = "mail.example.test"
  key_types  = ["EC_prime256v1"]
  types      = ["AMAZON_ISSUED"]
  depends_on = [aws_acm_certificate.mail]
}

resource "aws_api_gateway_rest_api" "r" {
  name                         = "r"
  disable_execute_api_endpoint = local.second
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_resource" "x" {
  rest_api_id = aws_api_gateway_rest_api.r.id
  parent_id   = aws_api_gateway_rest_api.r.root_resource_id
  path_part   = "x"
}

resource "aws_api_gateway_method" "x" {
  rest_api_id   = aws_api_gateway_rest_api.r.id
  resource_id   = aws_api_gateway_resource.x.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "x" {
  rest_api_id       = aws_api_gateway_rest_api.r.id
  resource_id       = aws_api_gateway_resource.x.id
  http_method       = aws_api_gateway_method.x.http_method
  type              = "MOCK"
  request_templates = { "application/json" = "{\"statusCode\":200}" }
}

resource "aws_api_gateway_method_response" "x" {
  rest_api_id = aws_api_gateway_rest_api.r.id
  resource_id = aws_api_gateway_resource.x.id
  http_method = aws_api_gateway_method.x.http_method
  status_code = "200"
}

resource "aws_api_gateway_integration_response" "x" {
  rest_api_id        = aws_api_gateway_rest_api.r.id
  resource_id        = aws_api_gateway_resource.x.id
  http_method        = aws_api_gateway_method.x.http_method
  status_code        = "200"
  response_templates = { "application/json" = "{\"sub\":\"$context.identity.clientCert.subjectDN\"}" }
  depends_on         = [aws_api_gateway_integration.x]
}

resource "aws_api_gateway_deployment" "d" {
  rest_api_id = aws_api_gateway_rest_api.r.id
  depends_on  = [aws_api_gateway_integration_response.x]
  triggers    = { v = var.v }
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_client_certificate" "c" {
  description = "client ${var.v}"
  tags        = { a = "b" }
}

resource "aws_api_gateway_stage" "s" {
  rest_api_id           = aws_api_gateway_rest_api.r.id
  deployment_id         = aws_api_gateway_deployment.d.id
  stage_name            = "s"
  client_certificate_id = aws_api_gateway_client_certificate.c.id
}

resource "aws_api_gateway_domain_name" "regional" {
  domain_name              = "v1.example.test"
  regional_certificate_arn = aws_acm_certificate.dns.arn
  security_policy          = local.second ? "TLS_1_2" : "TLS_1_0"
  endpoint_configuration { types = ["REGIONAL"] }
  tags = { step = tostring(var.v) }
}

resource "aws_api_gateway_domain_name" "edge" {
  domain_name     = "edge.example.test"
  certificate_arn = aws_acm_certificate.dns.arn
  security_policy = "TLS_1_2"
}

resource "aws_api_gateway_domain_name" "private" {
  domain_name     = "private.example.test"
  certificate_arn = aws_acm_certificate.dns.arn
  endpoint_configuration { types = ["PRIVATE"] }
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "execute-api:Invoke", Resource = ["execute-api:/*"] }] })
}

resource "aws_api_gateway_domain_name_access_association" "p" {
  access_association_source      = "vpce-0123456789abcdef0"
  access_association_source_type = "VPCE"
  domain_name_arn                = aws_api_gateway_domain_name.private.arn
}

resource "aws_api_gateway_base_path_mapping" "private" {
  api_id         = aws_api_gateway_rest_api.r.id
  stage_name     = aws_api_gateway_stage.s.stage_name
  domain_name    = aws_api_gateway_domain_name.private.domain_name
  domain_name_id = aws_api_gateway_domain_name.private.domain_name_id
}

resource "aws_api_gateway_domain_name" "mtls" {
  domain_name                            = "mtls.own.test"
  regional_certificate_arn               = aws_acm_certificate.own.arn
  ownership_verification_certificate_arn = aws_acm_certificate.own_check.arn
  security_policy                        = "TLS_1_2"
  endpoint_configuration {
    types           = ["REGIONAL"]
    ip_address_type = local.second ? "dualstack" : "ipv4"
  }
  mutual_tls_authentication {
    truststore_uri     = "file://${var.pki}/ca.pem"
    truststore_version = local.second ? filesha256("${var.pki}/ca.pem") : null
  }
}

resource "aws_acm_certificate" "own_check" {
  domain_name       = "mtls.own.test"
  validation_method = "DNS"
}

resource "aws_api_gateway_base_path_mapping" "reg" {
  api_id      = aws_api_gateway_rest_api.r.id
  stage_name  = aws_api_gateway_stage.s.stage_name
  domain_name = aws_api_gateway_domain_name.regional.domain_name
  base_path   = local.second ? "two" : "one"
}

resource "aws_api_gateway_base_path_mapping" "mtls" {
  api_id      = aws_api_gateway_rest_api.r.id
  stage_name  = aws_api_gateway_stage.s.stage_name
  domain_name = aws_api_gateway_domain_name.mtls.domain_name
}

resource "aws_api_gateway_base_path_mapping" "edge" {
  api_id      = aws_api_gateway_rest_api.r.id
  domain_name = aws_api_gateway_domain_name.edge.domain_name
  base_path   = "any"
}

data "aws_api_gateway_domain_name" "regional" {
  domain_name = aws_api_gateway_domain_name.regional.domain_name
}

resource "aws_apigatewayv2_api" "h" {
  name                         = "h"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = local.second
}

resource "aws_apigatewayv2_stage" "h" {
  api_id      = aws_apigatewayv2_api.h.id
  name        = "live"
  auto_deploy = true
}

resource "aws_apigatewayv2_domain_name" "v2" {
  domain_name = "*.v2.own.test"
  domain_name_configuration {
    certificate_arn = aws_acm_certificate.wild.arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
    ip_address_type = "dualstack"
  }
  mutual_tls_authentication {
    truststore_uri = "file://${var.pki}/ca.pem"
  }
  tags = { step = tostring(var.v) }
}

resource "aws_acm_certificate" "wild" {
  domain_name       = "*.v2.own.test"
  validation_method = "DNS"
}

resource "aws_apigatewayv2_api_mapping" "v2" {
  api_id          = aws_apigatewayv2_api.h.id
  domain_name     = aws_apigatewayv2_domain_name.v2.id
  stage           = aws_apigatewayv2_stage.h.id
  api_mapping_key = local.second ? "a/b/d" : "a/b/c"
}

output "o" { value = [data.aws_acm_certificate.dns.arn, data.aws_acm_certificate.mail.status, data.aws_api_gateway_domain_name.regional.regional_domain_name] }
