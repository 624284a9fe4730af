package access

import (
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/control/lambda"
)

// lambda: functions by name, with a qualifier where the input has one; layers,
// event source mappings and the rest by what names them.
func (r *request) lambda() []need {
	n := need{action: "lambda:" + r.Operation, keys: map[string][]string{}}
	switch r.Operation {
	case "Invoke", "InvokeAsync", "InvokeWithResponseStream":
		n.action = "lambda:InvokeFunction"
	case "GetLayerVersionByArn":
		n.action = "lambda:GetLayerVersion"
	}
	name := text(r.Input, "FunctionName")
	switch {
	case name != "" && !strings.Contains(r.Operation, "EventSourceMapping"):
		n.resource, n.function = r.function(name)
	case name != "":
		// A mapping has no function's ARN, its function is a condition key.
		n.resource = "*"
		at, _ := r.function(name)
		n.keys["lambda:functionarn"] = []string{at}
		if id := text(r.Input, "UUID"); id != "" {
			n.resource = r.resource("lambda", "event-source-mapping:"+id)
		}
	case text(r.Input, "UUID") != "":
		n.resource = r.resource("lambda", "event-source-mapping:"+text(r.Input, "UUID"))
	case text(r.Input, "LayerName") != "":
		n.resource = r.layer()
	case text(r.Input, "Resource") != "":
		n.resource = text(r.Input, "Resource")
	default:
		out := r.named("lambda")
		for i := range out {
			out[i].action = n.action
		}
		return out
	}
	for key, name := range map[string]string{"lambda:principal": "Principal", "lambda:functionurlauthtype": "FunctionUrlAuthType"} {
		if v := text(r.Input, name); v != "" {
			n.keys[key] = []string{v}
		}
	}
	if layers := texts(r.Input, "Layers"); len(layers) > 0 {
		n.keys["lambda:layer"] = layers
	}
	out := []need{n}
	for _, layer := range texts(r.Input, "Layers") {
		out = append(out, need{action: "lambda:GetLayerVersion", resource: layer})
	}
	return r.passing(out, text(r.Input, "Role"), "lambda.amazonaws.com")
}

// function is the ARN of a function as a request names it, and the same again
// if its own policy can allow what is asked.
func (r *request) function(name string) (resource, own string) {
	n, ok := lambda.ParseName(name)
	if !ok {
		return r.resource("lambda", "function:"+name), ""
	}
	a := arn.ARN{Partition: arn.Partition(r.Region), Service: "lambda", Region: r.Region, Account: r.Account, Resource: "function:" + n.Function}
	if n.Region != "" {
		a.Region = n.Region
	}
	if n.Account != "" {
		a.Account = n.Account
	}
	qualifier := text(r.Input, "Qualifier")
	if qualifier == "" {
		qualifier = n.Qualifier
	}
	if qualifier != "" {
		a.Resource += ":" + qualifier
	}
	return a.String(), a.String()
}

// layer is the ARN of a layer that is named or given by its ARN, with the
// version where the input has one.
func (r *request) layer() string {
	name := text(r.Input, "LayerName")
	if !strings.HasPrefix(name, "arn:") {
		name = r.resource("lambda", "layer:"+name)
	}
	if version := number(r.Input, "VersionNumber"); version != "" {
		name += ":" + version
	}
	return name
}
