// Package domain holds what the two faces of API Gateway share of custom domain
// names: a name, a mapping and what leads where are one thing, which apigateway
// shows as DomainName and BasePathMapping and apigatewayv2 as DomainName and
// ApiMapping. The faces translate shapes and errors; every check is here.
package domain
