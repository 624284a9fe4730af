# A custom domain as most configurations have it: a zone, a certificate that is
# validated by its record, the domain, and the alias that leads to it.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

variable "comment" {
  default = "mine"
}

resource "aws_route53_zone" "main" {
  name    = "example.test"
  comment = var.comment
  tags    = { team = "shop" }
}

resource "aws_route53_zone" "inner" {
  name = "inner.test"
  vpc {
    vpc_id = "vpc-12345678"
  }
  lifecycle {
    ignore_changes = [vpc]
  }
}

resource "aws_route53_zone_association" "inner" {
  zone_id = aws_route53_zone.inner.zone_id
  vpc_id  = "vpc-87654321"
}

resource "aws_acm_certificate" "api" {
  domain_name               = "api.example.test"
  subject_alternative_names = ["*.example.test"]
  validation_method         = "DNS"
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = {
    for o in aws_acm_certificate.api.domain_validation_options : o.domain_name => o
  }
  zone_id         = aws_route53_zone.main.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "api" {
  certificate_arn         = aws_acm_certificate.api.arn
  validation_record_fqdns = [for r in aws_route53_record.validation : r.fqdn]
}

resource "aws_apigatewayv2_domain_name" "api" {
  domain_name = "api.example.test"
  domain_name_configuration {
    certificate_arn = aws_acm_certificate_validation.api.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_route53_record" "api" {
  zone_id = aws_route53_zone.main.zone_id
  name    = aws_apigatewayv2_domain_name.api.domain_name
  type    = "A"
  alias {
    name                   = aws_apigatewayv2_domain_name.api.domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.api.domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "mail" {
  zone_id = aws_route53_zone.main.zone_id
  name    = ""
  type    = "MX"
  ttl     = 300
  records = ["10 mail.example.test", "20 spare.example.test"]
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.main.zone_id
  name    = "text"
  type    = "TXT"
  ttl     = 300
  records = ["v=spf1 -all", "second"]
}

resource "aws_route53_record" "wildcard" {
  zone_id = aws_route53_zone.main.zone_id
  name    = "*.wild"
  type    = "A"
  ttl     = 300
  records = ["192.0.2.1"]
}

resource "aws_route53_record" "share" {
  for_each       = { blue = 90, green = 10 }
  zone_id        = aws_route53_zone.main.zone_id
  name           = "share"
  type           = "CNAME"
  ttl            = 5
  records        = ["${each.key}.example.test"]
  set_identifier = each.key
  weighted_routing_policy {
    weight = each.value
  }
}

data "aws_route53_zone" "main" {
  name       = "example.test."
  depends_on = [aws_route53_zone.main]
}

output "name_servers" {
  value = data.aws_route53_zone.main.name_servers
}
