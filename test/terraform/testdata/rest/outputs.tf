output "api" {
  value = aws_api_gateway_rest_api.pets.id
}

output "made" {
  value     = aws_api_gateway_api_key.made.value
  sensitive = true
}

output "given" {
  value     = data.aws_api_gateway_api_key.given.value
  sensitive = true
}

output "found" {
  value = join(" ", [
    data.aws_api_gateway_rest_api.pets.id == aws_api_gateway_rest_api.pets.id,
    data.aws_api_gateway_resource.pet.id == aws_api_gateway_resource.pet.id,
    data.aws_api_gateway_authorizer.token.name,
    length(data.aws_api_gateway_authorizers.pets.ids),
  ])
}
