package access

import (
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
)

// A request is a call as the files of the services look at it.
type request struct {
	*awswire.Call
	*awswire.Action
	identities *iam.Directory
}

// needs are what an operation has to be allowed, all of it; none for what
// nobody needs leave for, or what the service decides itself.
func (g *Guard) needs(r *request) []need {
	switch r.Service {
	case "iam":
		return r.iam()
	case "sts":
		return r.sts()
	case "lambda":
		return r.lambda()
	case "logs":
		return r.logs()
	case "apigateway":
		return r.apigateway()
	case "execute-api":
		return r.connections()
	case "route53":
		return r.route53()
	case "cognito-idp":
		return r.cognito()
	case "monitoring", "cloudwatch":
		return r.cloudwatch()
	}
	return r.named(r.Service)
}

// resource is an ARN of the call's account and region.
func (r *request) resource(service, resource string) string {
	return arn.ARN{Partition: arn.Partition(r.Region), Service: service, Region: r.Region, Account: r.Account, Resource: resource}.String()
}

// global is an ARN of the call's account.
func (r *request) global(service, resource string) string {
	return arn.ARN{Partition: arn.Partition(r.Region), Service: service, Account: r.Account, Resource: resource}.String()
}

// named is for services without a file: the action is called like the
// operation, and it is about every ARN of the service's own that the input
// names, or about anything.
func (r *request) named(prefix string) []need {
	action := prefix + ":" + r.Operation
	var out []need
	fields(r.Input, func(_, value string) {
		if a, err := arn.Parse(value); err == nil && a.Service == prefix {
			out = append(out, need{action: action, resource: value})
		}
	})
	if out == nil {
		out = append(out, need{action: action, resource: "*"})
	}
	return out
}

// about is one need of an operation whose action is called like it.
func (r *request) about(prefix, resource string) []need {
	return []need{{action: prefix + ":" + r.Operation, resource: resource}}
}

// stageVariable is how a reference to a variable of a stage begins.
const stageVariable = "${stageVariables."

// passing adds the need to hand a role to a service, if role is the ARN of one.
func (r *request) passing(needs []need, role, service string) []need {
	before, _, varies := strings.Cut(role, stageVariable)
	if varies {
		role = r.varying(before)
	}
	a, err := arn.Parse(role)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return needs
	}
	n := need{action: "iam:PassRole", resource: role, keys: map[string][]string{"iam:passedtoservice": {service}}}
	if varies {
		n.resource, n.begins, n.shown = strings.TrimSuffix(role, "*"), true, role
	}
	if a.Account != r.Account {
		n.refusal = "Cross-account pass role is not allowed."
	}
	r.tagged(&n, role)
	return append(needs, n)
}

// varying are the roles that an ARN may mean of which a stage's variables say how it
// goes on. What they will be isn't known, so each of them is handed on: all have to be allowed and none denied.
func (r *request) varying(before string) string {
	a, err := arn.Parse(before + "*")
	if err != nil {
		return r.global("iam", "role/*")
	}
	if !strings.HasPrefix(a.Resource, "role/") {
		a.Resource = "role/*"
	}
	return a.String()
}

// tagged adds the tags of a user or a role that a need is about.
func (r *request) tagged(n *need, name string) {
	v := r.identities.Named(name)
	if v == nil {
		return
	}
	if n.keys == nil {
		n.keys = map[string][]string{}
	}
	for key, values := range v.Tags {
		key = strings.TrimPrefix(key, "aws:principaltag/")
		n.keys["aws:resourcetag/"+key] = values
		n.keys["iam:resourcetag/"+key] = values
	}
}

// cognito is about a user pool where the input names one.
func (r *request) cognito() []need {
	if id := text(r.Input, "UserPoolId"); id != "" {
		return r.about("cognito-idp", r.resource("cognito-idp", "userpool/"+id))
	}
	return r.named("cognito-idp")
}

// cloudwatch signs as "monitoring" and is called otherwise in policies.
func (r *request) cloudwatch() []need {
	if name := text(r.Input, "AlarmName"); name != "" {
		return r.about("cloudwatch", r.resource("cloudwatch", "alarm:"+name))
	}
	if name := text(r.Input, "DashboardName"); name != "" {
		return r.about("cloudwatch", r.global("cloudwatch", "dashboard/"+name))
	}
	return r.named("cloudwatch")
}
