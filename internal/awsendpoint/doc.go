// Package awsendpoint knows AWS's services from outside: where they are, by which
// names, how calls of them are signed and how their actions are named. URIs of
// integrations are read here.
//
// The table in services_gen.go is made by tools/awsgen from schema/endpoints.json.
//
// It is a leaf. Package compile reads URIs with it, integrate calls what they name.
package awsendpoint
