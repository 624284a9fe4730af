# What is written about the API, and two versions of it.

resource "aws_api_gateway_documentation_part" "api" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  properties  = jsonencode({ description = "API of step ${var.step}" })

  location {
    type = "API"
  }
}

resource "aws_api_gateway_documentation_part" "parameter" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  properties  = jsonencode({ description = "kind of step ${var.step}" })

  location {
    type   = "QUERY_PARAMETER"
    path   = "/pets"
    method = "GET"
    name   = "kind"
  }
}

resource "aws_api_gateway_documentation_part" "response" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  properties  = jsonencode({ description = "pets" })

  location {
    type        = "RESPONSE"
    path        = "/pets"
    method      = "GET"
    status_code = "200"
  }
}

resource "aws_api_gateway_documentation_version" "one" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  version     = "one"
  description = local.last ? null : "step ${var.step}"
  depends_on  = [aws_api_gateway_documentation_part.api, aws_api_gateway_documentation_part.parameter]
}

resource "aws_api_gateway_documentation_version" "two" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  version     = "two"
  depends_on  = [aws_api_gateway_documentation_part.response]
}
