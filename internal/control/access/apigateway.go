package access

import (
	"strings"

	"gatehouse/internal/arn"
	v1 "gatehouse/internal/awsapi/apigateway"
)

const gateway = "apigateway.amazonaws.com"

// apigateway: both faces of API Gateway name their actions by the method of
// the request and their resources by its path.
func (r *request) apigateway() []need {
	path := r.Path
	if r.Model == "apigatewayv2" {
		path = strings.TrimPrefix(path, "/v2")
	}
	path = lowerDomain(path)
	if action := routingRuleActions[r.Operation]; action != "" {
		return []need{{action: "apigateway:" + action, resource: r.resource("apigateway", routingRule(path))}}
	}
	at := r.gatewayARN(path)
	out := []need{{action: "apigateway:" + r.Method, resource: at}}
	switch in := r.Input.(type) {
	case *v1.CreateDomainNameRequest:
		if in.Policy != nil {
			out = append(out, need{action: "apigateway:UpdateDomainNamePolicy", resource: at})
		}
	case *v1.UpdateDomainNameRequest:
		if patches(in.PatchOperations, "/policy") != nil {
			out = append(out, need{action: "apigateway:UpdateDomainNamePolicy", resource: at})
		}
		if patches(in.PatchOperations, "/managementPolicy") != nil {
			out = append(out, need{action: "apigateway:UpdateDomainNameManagementPolicy", resource: at})
		}
	case *v1.CreateDomainNameAccessAssociationRequest:
		out = append(out, need{action: "apigateway:CreateAccessAssociation", resource: text(in, "DomainNameArn")})
	case *v1.RejectDomainNameAccessAssociationRequest:
		return []need{{action: "apigateway:RejectAccessAssociation", resource: text(in, "DomainNameArn")}}
	case *v1.CreateRestApiRequest:
		if in.Policy != nil {
			out = append(out, need{action: "apigateway:UpdateRestApiPolicy", resource: at})
		}
	case *v1.UpdateRestApiRequest:
		if patches(in.PatchOperations, "/policy") != nil {
			out = append(out, need{action: "apigateway:UpdateRestApiPolicy", resource: at})
		}
	case *v1.UpdateIntegrationRequest:
		out = r.passingAll(out, patches(in.PatchOperations, "/credentials"))
	case *v1.UpdateAuthorizerRequest:
		out = r.passingAll(out, patches(in.PatchOperations, "/authorizerCredentials"))
	case *v1.UpdateAccountRequest:
		out = r.passingAll(out, patches(in.PatchOperations, "/cloudwatchRoleArn"))
	}
	out = r.imported(out, at)
	for _, name := range [...]string{"Credentials", "CredentialsArn", "AuthorizerCredentials", "AuthorizerCredentialsArn"} {
		out = r.passing(out, text(r.Input, name), gateway)
	}
	return out
}

// gatewayARN is what a path is in policies: without an account, but for a private
// domain name and its mappings, whose names several accounts may have.
func (r *request) gatewayARN(path string) string {
	a := arn.ARN{Partition: arn.Partition(r.Region), Service: "apigateway", Region: r.Region, Resource: path}
	name, ok := strings.CutPrefix(path, "/domainnames/")
	if id := text(r.Input, "DomainNameId"); ok && id != "" {
		name, rest, _ := strings.Cut(name, "/")
		a.Account, a.Resource = r.Account, "/domainnames/"+name+"+"+id
		if rest != "" {
			a.Resource += "/" + rest
		}
	}
	return a.String()
}

// routingRuleActions are the actions of routing rules, which aren't called by the
// method of the request.
var routingRuleActions = map[string]string{
	"CreateRoutingRule": "CreateRoutingRule", "GetRoutingRule": "GetRoutingRule", "ListRoutingRules": "ListRoutingRules",
	"PutRoutingRule": "UpdateRoutingRule", "DeleteRoutingRule": "DeleteRoutingRule",
}

// routingRule is the resource of a path of routing rules: one of them, or any.
// UNVERIFIED: how policies see a rule that has no id yet; AWS's example that denies
// making rules names "routingrules/*".
func routingRule(path string) string {
	if strings.HasSuffix(path, "/routingrules") {
		return path + "/*"
	}
	return path
}

// lowerDomain is a path in which a custom domain name is written as it is stored:
// calls may write it in any case, and policies mean the one domain.
func lowerDomain(path string) string {
	for _, slash := range [...]string{"/", "%2F"} { // of a resource, and of an ARN in the path of its tags
		marker := slash + "domainnames" + slash
		before, after, ok := strings.Cut(path, marker)
		if !ok {
			continue
		}
		name, rest := after, ""
		if i := strings.Index(after, slash); i >= 0 {
			name, rest = after[:i], after[i:]
		}
		return before + marker + strings.ToLower(name) + rest
	}
	return path
}

func (r *request) passingAll(needs []need, roles []string) []need {
	for _, role := range roles {
		needs = r.passing(needs, role, gateway)
	}
	return needs
}

// patches are the values that are set at a path and what is below it.
func patches(operations []v1.PatchOperation, path string) []string {
	var out []string
	for _, op := range operations {
		if op.Path == nil || *op.Path != path && !strings.HasPrefix(*op.Path, path+"/") {
			continue
		}
		value := ""
		if op.Value != nil {
			value = *op.Value
		}
		out = append(out, value)
	}
	return out
}

// connections: @connections of a stage. All connections are one resource, whose
// name ends in the label itself; refusals show the account's last digits only.
// UNVERIFIED: that the id isn't asked about; refusals don't show it.
func (r *request) connections() []need {
	at := r.Stage
	a := arn.ARN{
		Partition: arn.Partition(at.Region), Service: "execute-api", Region: at.Region, Account: at.Account,
		Resource: at.APIID + "/" + at.Stage + "/" + r.Method + "/@connections/{connectionId}",
	}
	n := need{action: "execute-api:ManageConnections", resource: a.String()}
	a.Account = "********" + a.Account[max(0, len(a.Account)-4):]
	n.shown = a.String()
	return []need{n}
}
