package elbv2

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// maxForward is how many target groups an action has.
const maxForward = 5

// groupsOf lists the target groups that actions lead to.
func groupsOf(actions []api.Action) []string {
	var all []string
	for _, a := range actions {
		if a.ForwardConfig == nil {
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			all = append(all, value(g.TargetGroupArn))
		}
	}
	return all
}

// newActions checks the actions of a listener or a rule of an application or a
// network load balancer, and shows a single target group in both ways that there are.
func newActions(tx *store.Tx, c *awswire.Call, application bool, actions []api.Action) ([]api.Action, error) {
	if len(actions) == 0 {
		return nil, invalid("An action must be specified")
	}
	if len(actions) > 1 {
		// All but the last one authenticate.
		return nil, notYet("an action of type " + value(actions[0].Type))
	}
	a := actions[0]
	kind := value(a.Type)
	if !application && kind != api.ActionTypeEnumForward {
		return nil, api.NewInvalidLoadBalancerActionException("Actions of type '" + kind + "' are not supported for network load balancers") // UNVERIFIED wording
	}
	var err error
	switch kind {
	case api.ActionTypeEnumForward:
		err = setForward(tx, c, application, &a)
	case api.ActionTypeEnumFixedResponse:
		err = checkFixed(a.FixedResponseConfig)
	case api.ActionTypeEnumRedirect:
		err = setRedirect(&a)
	default:
		return nil, notYet("an action of type " + kind)
	}
	if err != nil {
		return nil, err
	}
	return []api.Action{a}, nil
}

func setForward(tx *store.Tx, c *awswire.Call, application bool, a *api.Action) error {
	config := api.ForwardActionConfig{}
	if a.ForwardConfig != nil {
		config = *a.ForwardConfig
	}
	if a.TargetGroupArn != nil && len(config.TargetGroups) == 0 {
		config.TargetGroups = []api.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
	}
	switch n := len(config.TargetGroups); {
	case n == 0:
		return invalid("You must specify a target group for a forward action")
	case n > maxForward:
		return api.NewTooManyTargetGroupsException(fmt.Sprintf("A forward action has at most %d target groups", maxForward)) // UNVERIFIED wording
	}
	groups := make([]api.TargetGroupTuple, 0, len(config.TargetGroups))
	for _, g := range config.TargetGroups {
		doc, err := targetGroup(tx, c, value(g.TargetGroupArn))
		if err != nil {
			return err
		}
		if doc.application() != application {
			return api.NewIncompatibleProtocolsException("The protocol '" + *doc.Protocol + "' of target group '" + *doc.TargetGroupArn + "' is not compatible with the listener") // UNVERIFIED wording
		}
		g.Weight = orDefault(g.Weight, 1)
		if *g.Weight < 0 || *g.Weight > 999 {
			return invalid("Target group weight must be between 0 and 999")
		}
		groups = append(groups, g)
	}
	config.TargetGroups = groups
	if application && config.TargetGroupStickinessConfig == nil {
		config.TargetGroupStickinessConfig = &api.TargetGroupStickinessConfig{Enabled: new(false)}
	}
	a.ForwardConfig, a.TargetGroupArn = &config, nil
	if len(groups) == 1 {
		a.TargetGroupArn = groups[0].TargetGroupArn
	}
	return nil
}

var fixedStatus = regexp.MustCompile(`^[245][0-9][0-9]$`)

func checkFixed(f *api.FixedResponseActionConfig) error {
	if f == nil || !fixedStatus.MatchString(value(f.StatusCode)) {
		return invalid("The status code of a fixed response must be 2XX, 4XX or 5XX") // UNVERIFIED wording
	}
	if len(value(f.MessageBody)) > 1024 {
		return invalid("The message body of a fixed response has at most 1024 characters") // UNVERIFIED wording
	}
	switch value(f.ContentType) {
	case "", "text/plain", "text/css", "text/html", "application/javascript", "application/json":
		return nil
	}
	return invalid("The content type '" + *f.ContentType + "' of a fixed response is not supported") // UNVERIFIED wording
}

// redirectPart is what parts of a redirect can hold.
var redirectPart = regexp.MustCompile(`^[!-~]*$`)

func setRedirect(a *api.Action) error {
	if a.RedirectConfig == nil {
		return invalid("A redirect action must have a configuration")
	}
	r := *a.RedirectConfig
	r.Protocol, r.Host, r.Port = orDefault(r.Protocol, "#{protocol}"), orDefault(r.Host, "#{host}"), orDefault(r.Port, "#{port}")
	r.Path, r.Query = orDefault(r.Path, "/#{path}"), orDefault(r.Query, "#{query}")
	if code := value(r.StatusCode); code != api.RedirectActionStatusCodeEnumHTTP301 && code != api.RedirectActionStatusCodeEnumHTTP302 {
		return invalid("The status code of a redirect must be HTTP_301 or HTTP_302")
	}
	if *r.Protocol == "#{protocol}" && *r.Host == "#{host}" && *r.Port == "#{port}" && *r.Path == "/#{path}" {
		// UNVERIFIED wording.
		return api.NewInvalidLoadBalancerActionException("A redirect must change the protocol, the host, the port or the path")
	}
	if n, err := strconv.ParseUint(*r.Port, 10, 16); *r.Port != "#{port}" && (err != nil || n == 0) {
		return invalid("The port of a redirect must be between 1 and 65535 or '#{port}'") // UNVERIFIED wording
	}
	if !strings.HasPrefix(*r.Path, "/") {
		return invalid("The path of a redirect must begin with '/'") // UNVERIFIED wording
	}
	for _, part := range []*string{r.Protocol, r.Host, r.Port, r.Path, r.Query} {
		if !redirectPart.MatchString(*part) {
			return invalid("A redirect can't hold '" + *part + "'")
		}
	}
	a.RedirectConfig = &r
	return nil
}

// balanced is an action as package balance has it.
func balanced(actions []api.Action) balance.Action {
	if len(actions) == 0 {
		return balance.Action{}
	}
	a := actions[len(actions)-1]
	switch {
	case a.FixedResponseConfig != nil:
		f := a.FixedResponseConfig
		status, _ := strconv.Atoi(value(f.StatusCode))
		contentType := value(f.ContentType)
		if contentType == "" {
			contentType = "text/plain; charset=utf-8"
		}
		return balance.Action{Fixed: &balance.FixedResponse{Status: status, ContentType: contentType, Body: value(f.MessageBody)}}
	case a.RedirectConfig != nil:
		r := a.RedirectConfig
		status := 302
		if value(r.StatusCode) == api.RedirectActionStatusCodeEnumHTTP301 {
			status = 301
		}
		return balance.Action{Redirect: &balance.Redirect{
			Status: status, Protocol: value(r.Protocol), Host: value(r.Host), Port: value(r.Port), Path: value(r.Path), Query: value(r.Query),
		}}
	case a.ForwardConfig != nil:
		var to []balance.Weighted
		for _, g := range a.ForwardConfig.TargetGroups {
			to = append(to, balance.Weighted{Group: value(g.TargetGroupArn), Weight: int(value(g.Weight))})
		}
		return balance.Action{Forward: to}
	}
	return balance.Action{}
}
