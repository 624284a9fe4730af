# REST APIs that OpenAPI documents define: one whole, one merged into what is
# said here.

resource "aws_api_gateway_rest_api" "books" {
  name = "books"
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "books", version = "${var.step}" }
    paths = {
      "/books" = {
        get = merge({
          operationId = "listBooks"
          responses   = { "200" = { description = "books", content = { "application/json" = { schema = { "$ref" = "#/components/schemas/Books" } } } } }
          "x-amazon-apigateway-integration" = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = "{\"step\": ${var.step}}" } } }
          }
        }, local.changed ? { summary = "All books" } : {})
      }
      "/books/{id}" = {
        get = {
          parameters = [{ name = "id", in = "path", required = true, schema = { type = "string" } }]
          responses  = { "200" = { description = "a book" } }
          "x-amazon-apigateway-integration" = {
            type              = "http_proxy"
            httpMethod        = "GET"
            uri               = "${var.backend}/books/step${var.step}/{id}"
            requestParameters = { "integration.request.path.id" = "method.request.path.id" }
          }
        }
      }
    }
    components = {
      schemas = {
        Book  = { type = "object", properties = { title = { type = "string" } } }
        Books = { type = "array", items = { "$ref" = "#/components/schemas/Book" } }
      }
    }
    "x-amazon-apigateway-request-validators" = { all = { validateRequestBody = true, validateRequestParameters = true } }
    "x-amazon-apigateway-request-validator"  = "all"
    "x-amazon-apigateway-gateway-responses" = {
      DEFAULT_4XX = { responseParameters = { "gatewayresponse.header.X-Books" = "'${var.step}'" } }
    }
  })

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_deployment" "books" {
  rest_api_id = aws_api_gateway_rest_api.books.id
  triggers    = { body = sha1(aws_api_gateway_rest_api.books.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "books" {
  rest_api_id   = aws_api_gateway_rest_api.books.id
  deployment_id = aws_api_gateway_deployment.books.id
  stage_name    = "read"
}

resource "aws_api_gateway_rest_api" "merged" {
  name               = "merged"
  description        = "said here in step ${var.step}"
  binary_media_types = ["image/png"]
  put_rest_api_mode  = "merge"
  tags               = { step = var.step }

  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "merged", version = "1" }
    paths = { "/step${var.step}" = { get = {
      responses                         = {}
      "x-amazon-apigateway-integration" = { type = "mock", requestTemplates = { "application/json" = "{\"statusCode\": 200}" } }
    } } }
  })

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "said" {
  rest_api_id = aws_api_gateway_rest_api.merged.id
  parent_id   = aws_api_gateway_rest_api.merged.root_resource_id
  path_part   = "said"
}

data "aws_api_gateway_export" "books" {
  rest_api_id = aws_api_gateway_stage.books.rest_api_id
  stage_name  = aws_api_gateway_stage.books.stage_name
  export_type = "oas30"
}

output "books" {
  value = aws_api_gateway_rest_api.books.id
}

output "exported" {
  value = join(" ", sort(keys(jsondecode(data.aws_api_gateway_export.books.body).paths)))
}
