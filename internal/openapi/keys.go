package openapi

import (
	"strings"

	"gatehouse/internal/openapi/tree"
)

// The extensions that HTTP APIs have a use for.
const (
	extension = "x-amazon-apigateway-"

	anyMethodKey    = extension + "any-method"
	authKey         = extension + "auth"
	authorizerKey   = extension + "authorizer"
	authTypeKey     = extension + "authtype"
	corsKey         = extension + "cors"
	endpointKey     = extension + "endpoint-configuration"
	integrationKey  = extension + "integration"
	integrationsKey = extension + "integrations"
	tagValueKey     = extension + "tag-value"
	versionKey      = extension + "importexport-version"

	// sharedKey is an extension of our own, in integrations that an export
	// repeats because several routes share them: the id they have in common.
	// Those that are the same become one again when they are imported.
	sharedKey = "x-gatehouse-integration-id"
)

// A vocabulary is the keys that an object of a document can have. Those with
// true mean something to an HTTP API, the others are legal and left out.
type vocabulary map[string]bool

var (
	rootKeys = vocabulary{
		"openapi": true, "info": true, "servers": true, "tags": true, "paths": true, "components": true, "security": true,
		corsKey: true, versionKey: true, "externalDocs": false,
	}
	infoKeys = vocabulary{
		"title": true, "description": true, "version": true, "termsOfService": false, "contact": false, "license": false,
	}
	componentKeys = vocabulary{
		"securitySchemes": true, integrationsKey: true,
		"schemas": false, "responses": false, "parameters": false, "examples": false, "requestBodies": false, "headers": false,
		"links": false, "callbacks": false,
	}
	pathKeys = vocabulary{
		"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true,
		anyMethodKey: true, "$ref": true, "summary": false, "description": false, "servers": false, "parameters": false,
	}
	operationKeys = vocabulary{
		"operationId": true, "security": true, integrationKey: true, authKey: true,
		"tags": false, "summary": false, "description": false, "externalDocs": false, "parameters": false, "requestBody": false,
		"responses": false, "callbacks": false, "deprecated": false, "servers": false,
	}
	anyMethodKeys   = vocabulary{"isDefaultRoute": true, "operationId": true, "security": true, integrationKey: true, authKey: true}
	integrationKeys = vocabulary{
		"$ref": true, "type": true, "httpMethod": true, "uri": true, "payloadFormatVersion": true, "connectionType": true,
		"connectionId": true, "credentials": true, "description": true, "integrationSubtype": true, "requestParameters": true,
		"responseParameters": true, "timeoutInMillis": true, "tlsConfig": true,
	}
)

// survey lists what an object has that an HTTP API does nothing with: where is
// the object as AWS writes it there. attribute is how it writes it where a key
// isn't of OpenAPI at all; with none, those count as legal.
func (r *reader) survey(n *tree.Node, known vocabulary, where, attribute string) {
	for i := range n.Members {
		key := n.Members[i].Key
		used, legal := known[key]
		switch {
		case used:
		case legal, strings.HasPrefix(key, extension):
			r.info(where, ": key [", key, "] will be ignored by API Gateway")
		case strings.HasPrefix(key, "x-"):
		case attribute == "":
			r.info(where, ": key [", key, "] will be ignored by API Gateway")
		default:
			r.parseIssue(attribute, ".", key, " is unexpected")
		}
	}
}
