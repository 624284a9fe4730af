// Package apigateway holds the operations of apigateway: REST APIs with their
// resources, methods, integrations, models and stages, and what is shared
// between APIs, such as API keys and usage plans.
//
// An operation checks the decoded request, runs one transaction over the
// documents of package definition, and answers. Whether definitions can run is
// asked of a Compiler; package compile is that, wired in cmd/gatehouse. It must
// not import compile, plan or anything of the data plane.
//
// Files are named for their noun. patch.go applies patch operations, which is
// how every Update of this service works.
package apigateway
