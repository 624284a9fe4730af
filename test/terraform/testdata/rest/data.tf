# What is found again by name, path or id.

data "aws_api_gateway_rest_api" "pets" {
  name = aws_api_gateway_rest_api.pets.name
}

data "aws_api_gateway_resource" "pet" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  path        = "/pets/${aws_api_gateway_resource.pet.path_part}"
}

data "aws_api_gateway_api_key" "given" {
  id = aws_api_gateway_api_key.given.id
}

data "aws_api_gateway_authorizers" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  depends_on  = [aws_api_gateway_authorizer.token, aws_api_gateway_authorizer.request, aws_api_gateway_authorizer.pool]
}

data "aws_api_gateway_authorizer" "token" {
  rest_api_id   = aws_api_gateway_rest_api.pets.id
  authorizer_id = aws_api_gateway_authorizer.token.id
}
