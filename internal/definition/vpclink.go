package definition

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/store"
)

// A VPCLink is keyed {vpcLinkID}. HTTP APIs use it, and REST APIs that name a load
// balancer themselves.
type VPCLink struct{ apigatewayv2.VpcLink }

// VPCLinks is the kind of VPCLink.
var VPCLinks = store.Kind[VPCLink]{Name: "apigatewayv2/vpc-link", Version: 1}

// A RestVPCLink is keyed {vpcLinkID}: what REST and WebSocket APIs reach a network
// load balancer by.
type RestVPCLink struct{ apigateway.VpcLink }

// RestVPCLinks is the kind of RestVPCLink.
var RestVPCLinks = store.Kind[RestVPCLink]{Name: "apigateway/vpc-link", Version: 1}

// VPCLinkExists tells whether there is a VPC link of an id, of either kind.
func VPCLinkExists(tx *store.Tx, s store.Scope, id string) (bool, error) {
	found, err := VPCLinks.Exists(tx, s, id)
	if err != nil || found {
		return found, err
	}
	return RestVPCLinks.Exists(tx, s, id)
}

// VPCLinkUses lists where the APIs that have stages name a VPC link, as
// "METHOD:resource or integration:stage".
func VPCLinkUses(tx *store.Tx, s store.Scope, id string) ([]string, error) {
	var uses []string
	for e, err := range Stages.All(tx, s) {
		if err != nil {
			return nil, err
		}
		for in, err := range Integrations.All(tx, s, e.ID[0]) {
			if err != nil {
				return nil, err
			}
			if namesLink(in.Doc.ConnectionId, id, e.Doc.StageVariables) {
				method := "ANY"
				if in.Doc.IntegrationMethod != nil {
					method = *in.Doc.IntegrationMethod
				}
				uses = append(uses, method+":"+in.ID[1]+":"+e.ID[1])
			}
		}
	}
	for e, err := range RestStages.All(tx, s) {
		if err != nil {
			return nil, err
		}
		for resource, err := range Resources.All(tx, s, e.ID[0]) {
			if err != nil {
				return nil, err
			}
			for _, method := range slices.Sorted(maps.Keys(resource.Doc.ResourceMethods)) {
				in := resource.Doc.ResourceMethods[method].MethodIntegration
				if in != nil && namesLink(in.ConnectionId, id, e.Doc.Variables) {
					uses = append(uses, method+":"+resource.ID[1]+":"+e.ID[1])
				}
			}
		}
	}
	return uses, nil
}

// namesLink tells whether a connection's id is that of a link, or a variable of the
// stage that has it.
func namesLink(connection *string, id string, variables map[string]string) bool {
	if connection == nil {
		return false
	}
	name, ok := strings.CutPrefix(*connection, "${stageVariables.")
	if !ok {
		return *connection == id
	}
	return variables[strings.TrimSuffix(name, "}")] == id
}
