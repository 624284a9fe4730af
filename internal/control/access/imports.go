package access

import (
	"strings"

	"gatehouse/internal/arn"
	v1 "gatehouse/internal/awsapi/apigateway"
	v2 "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
)

// imported adds what an OpenAPI document needs beside the import itself: the
// roles that it hands to integrations and authorizers, and the resource policy
// that it sets. Without that a document would do what PutIntegration and
// UpdateRestApi may not.
func (r *request) imported(needs []need, at string) []need {
	var body string
	switch in := r.Input.(type) {
	case *v1.ImportRestApiRequest:
		body = string(in.Body)
	case *v1.PutRestApiRequest:
		body = string(in.Body)
	case *v2.ImportApiRequest, *v2.ReimportApiRequest:
		body = text(in, "Body")
	default:
		return needs
	}
	document, err := tree.Parse(body, strings.NewReplacer(
		"${AWS::Partition}", arn.Partition(r.Region), "${AWS::Region}", r.Region, "${AWS::AccountId}", r.Account))
	if err != nil {
		return needs // which the operation refuses
	}
	if r.Model != "apigatewayv2" && document.Get("x-amazon-apigateway-policy") != nil {
		needs = append(needs, need{action: "apigateway:UpdateRestApiPolicy", resource: at})
	}
	seen := map[string]bool{}
	roles(document, seen, func(role string) { needs = r.passing(needs, role, gateway) })
	return needs
}

// roles calls fn once with everything that stands in a document where roles of
// integrations and authorizers do, wherever that is: components are referred to.
func roles(n *tree.Node, seen map[string]bool, fn func(role string)) {
	for i := range n.Members {
		m := &n.Members[i]
		if m.Key == "credentials" || m.Key == "authorizerCredentials" {
			if role, ok := m.Str(); ok && !seen[role] {
				seen[role] = true
				fn(role)
			}
		}
		roles(&m.Node, seen, fn)
	}
}
