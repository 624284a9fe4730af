# REST APIs that OpenAPI documents define. `step` 2 changes the documents.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "step" {
  type    = number
  default = 1
}

# Where integrations of the APIs lead, as a URL.
variable "backend" {
  type = string
}

provider "aws" {
  skip_metadata_api_check = true
}

# What the configuration says goes before what the document says.
resource "aws_api_gateway_rest_api" "pets" {
  name                         = "pets"
  description                  = "of the configuration"
  binary_media_types           = ["image/png"]
  minimum_compression_size     = 2048
  api_key_source               = "HEADER"
  disable_execute_api_endpoint = false
  put_rest_api_mode            = "overwrite"
  tags                         = { step = var.step }

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "*"
    }]
  })

  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "another name", version = "${var.step}", description = "of the document" }
    paths = {
      "/pets/{id}" = {
        get = {
          parameters = [{ name = "id", in = "path", required = true, schema = { type = "string" } }]
          responses  = { "200" = { description = "A pet", content = { "application/json" = { schema = { "$ref" = "#/components/schemas/Pet" } } } } }
          x-amazon-apigateway-integration = {
            type                = "http_proxy"
            httpMethod          = "GET"
            uri                 = "${var.backend}/step${var.step}/{id}"
            passthroughBehavior = "when_no_match"
            requestParameters   = { "integration.request.path.id" = "method.request.path.id" }
          }
        }
      }
      (var.step == 1 ? "/health" : "/healthy") = {
        get = {
          responses = { "200" = { description = "200 response" } }
          x-amazon-apigateway-integration = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = "fine" } } }
          }
        }
      }
    }
    components = { schemas = { Pet = { type = "object", properties = { id = { type = "string" } } } } }
  })
}

# Nothing but the document, merged.
resource "aws_api_gateway_rest_api" "small" {
  name              = "small"
  put_rest_api_mode = "merge"
  parameters        = { basepath = "prepend" }

  body = yamlencode({
    swagger  = "2.0"
    info     = { title = "small", version = "1" }
    basePath = "/v1"
    paths = {
      "/one" = {
        get = {
          responses = { "200" = { description = "200 response" } }
          x-amazon-apigateway-integration = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = "step${var.step}" } } }
          }
        }
      }
    }
  })
}

resource "aws_api_gateway_deployment" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  triggers    = { document = sha1(aws_api_gateway_rest_api.pets.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "pets" {
  rest_api_id   = aws_api_gateway_rest_api.pets.id
  deployment_id = aws_api_gateway_deployment.pets.id
  stage_name    = "live"
}

resource "aws_api_gateway_deployment" "small" {
  rest_api_id = aws_api_gateway_rest_api.small.id
  triggers    = { document = sha1(aws_api_gateway_rest_api.small.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "small" {
  rest_api_id   = aws_api_gateway_rest_api.small.id
  deployment_id = aws_api_gateway_deployment.small.id
  stage_name    = "live"
}

data "aws_api_gateway_export" "pets" {
  rest_api_id = aws_api_gateway_stage.pets.rest_api_id
  stage_name  = aws_api_gateway_stage.pets.stage_name
  export_type = "oas30"
  parameters  = { extensions = "apigateway" }
}

output "pets" {
  value = aws_api_gateway_rest_api.pets.id
}

output "small" {
  value = aws_api_gateway_rest_api.small.id
}

output "exported" {
  value = join(" ", concat([jsondecode(data.aws_api_gateway_export.pets.body).info.title], keys(jsondecode(data.aws_api_gateway_export.pets.body).paths)))
}
