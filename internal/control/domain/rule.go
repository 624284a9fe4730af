package domain

import (
	"regexp"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// AWS's limits of routing rules.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html
const (
	maxRules       = 50
	maxPriority    = 1_000_000
	maxMatched     = 2  // conditions on headers
	maxHeaderName  = 40 // characters, as of a value and a base path below
	maxHeaderValue = 128
	maxBasePath    = 128
	// maxAnyOf bounds the alternatives of a condition, over which every request is
	// led.
	maxAnyOf     = 50
	ruleIDLength = 6
)

var (
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	// headerGlob is a text with a star at either end, or at none; visible
	// characters and spaces.
	headerGlob = regexp.MustCompile(`^\*?[ -)+-~]*\*?$`)
)

// PutRule stores a routing rule of a domain, a new one where it has no id.
func (n *Names) PutRule(tx *store.Tx, c *awswire.Call, d *definition.Domain, r *definition.RoutingRule) error {
	at, name := scope(c), Name(d)
	if err := n.checkRule(tx, c, &r.RoutingRule); err != nil {
		return err
	}
	var old *definition.RoutingRule
	taken := map[string]bool{}
	for e, err := range definition.RoutingRules.All(tx, at, name) {
		if err != nil {
			return err
		}
		id := e.ID[1]
		taken[id] = true
		if id == value(r.RoutingRuleId) {
			old = e.Doc
		} else if value(e.Doc.Priority) == *r.Priority {
			// UNVERIFIED: the words.
			return conflict("A routing rule with this priority already exists for this domain name")
		}
	}
	if r.RoutingRuleId == nil {
		if len(taken) >= maxRules {
			// UNVERIFIED: the words.
			return badRequest("A domain name can have at most %d routing rules", maxRules)
		}
		id, err := apiid.Free(n.rand, ruleIDLength, func(id string) (bool, error) { return taken[id], nil })
		if err != nil {
			return err
		}
		r.RoutingRuleId = &id
	}
	a := arn.ARN{
		Partition: arn.Partition(c.Region), Service: "apigateway", Region: c.Region, Account: c.Account,
		Resource: "/domainnames/" + name + "/routingrules/" + *r.RoutingRuleId,
	}
	r.RoutingRuleArn = new(a.String())
	if old != nil {
		if err := dropTarget(tx, at, ruleTarget(old), name, *r.RoutingRuleId); err != nil {
			return err
		}
	}
	if err := putTarget(tx, at, ruleTarget(r), value(r.Actions[0].InvokeApi.Stage), name, *r.RoutingRuleId); err != nil {
		return err
	}
	return definition.RoutingRules.Put(tx, at, r, name, *r.RoutingRuleId)
}

// ruleTarget is the API that a rule leads to.
func ruleTarget(r *definition.RoutingRule) string {
	if len(r.Actions) == 0 || r.Actions[0].InvokeApi == nil {
		return ""
	}
	return value(r.Actions[0].InvokeApi.ApiId)
}

// checkRule refuses what can't be a rule.
// UNVERIFIED: the words of all its errors.
func (n *Names) checkRule(tx *store.Tx, c *awswire.Call, r *apigatewayv2.RoutingRule) error {
	if p := value(r.Priority); p < 1 || p > maxPriority {
		return badRequest("The priority of a routing rule must be from 1 to %d", maxPriority)
	}
	if len(r.Actions) != 1 || r.Actions[0].InvokeApi == nil {
		return badRequest("A routing rule must have exactly one action")
	}
	action := r.Actions[0].InvokeApi
	protocol, err := protocolOf(tx, scope(c), value(action.ApiId))
	if err != nil {
		return err
	}
	switch protocol {
	case none:
		return notFound("Invalid API identifier specified " + c.Account + ":" + value(action.ApiId))
	case REST:
	default:
		return badRequest("Routing rules are only supported for REST APIs")
	}
	if found, err := stageExists(tx, scope(c), protocol, *action.ApiId, value(action.Stage)); err != nil {
		return err
	} else if !found {
		return notFound("Invalid stage identifier specified")
	}
	return checkConditions(r.Conditions)
}

func checkConditions(conditions []apigatewayv2.RoutingRuleCondition) error {
	headers, paths := 0, 0
	for _, condition := range conditions {
		if (condition.MatchHeaders == nil) == (condition.MatchBasePaths == nil) {
			return badRequest("A condition must have either matchHeaders or matchBasePaths")
		}
		if m := condition.MatchBasePaths; m != nil {
			paths++
			if err := checkBasePaths(m.AnyOf); err != nil {
				return err
			}
			continue
		}
		headers++
		if err := checkHeaders(condition.MatchHeaders.AnyOf); err != nil {
			return err
		}
	}
	if headers > maxMatched || paths > 1 {
		return badRequest("A routing rule can have at most %d matchHeaders conditions and one matchBasePaths condition", maxMatched)
	}
	return nil
}

func checkBasePaths(paths []string) error {
	if len(paths) == 0 || len(paths) > maxAnyOf {
		return badRequest("matchBasePaths must have from 1 to %d base paths", maxAnyOf)
	}
	for _, path := range paths {
		if len(path) > maxBasePath || !keyPattern.MatchString(path) {
			return badRequest("Invalid base path in a routing rule: %s", path)
		}
	}
	return nil
}

func checkHeaders(headers []apigatewayv2.RoutingRuleMatchHeaderValue) error {
	if len(headers) == 0 || len(headers) > maxAnyOf {
		return badRequest("matchHeaders must have from 1 to %d headers", maxAnyOf)
	}
	for _, header := range headers {
		name, glob := value(header.Header), value(header.ValueGlob)
		if len(name) > maxHeaderName || !headerName.MatchString(name) {
			return badRequest("Invalid header name in a routing rule: %s", name)
		}
		if restricted(name) {
			return badRequest("The header %s can't be used in a routing rule", name)
		}
		if glob == "" || len(glob) > maxHeaderValue || !headerGlob.MatchString(glob) {
			return badRequest("Invalid header value in a routing rule: %s. A wildcard may be its first and its last character only", glob)
		}
	}
	return nil
}

// restricted tells that no condition may be on a header.
// UNVERIFIED: AWS's own list, which has these as far as they are known.
func restricted(name string) bool {
	name = strings.ToLower(name)
	for _, prefix := range [...]string{"access-control-", "apigw-", "x-amz-", "x-amzn-", "x-apigw-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded", "keep-alive",
		"origin", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
		"host", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto":
		return true
	}
	return false
}

// Rule finds a routing rule of a domain.
func (n *Names) Rule(tx *store.Tx, c *awswire.Call, d *definition.Domain, id string) (*definition.RoutingRule, error) {
	r, err := definition.RoutingRules.Get(tx, scope(c), Name(d), id)
	// UNVERIFIED: the words.
	return r, missing(err, "Invalid routing rule identifier specified")
}

// DeleteRule removes a routing rule.
func (n *Names) DeleteRule(tx *store.Tx, c *awswire.Call, d *definition.Domain, r *definition.RoutingRule) error {
	at, name, id := scope(c), Name(d), *r.RoutingRuleId
	if err := dropTarget(tx, at, ruleTarget(r), name, id); err != nil {
		return err
	}
	return definition.RoutingRules.Delete(tx, at, name, id)
}
