package apigateway

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
)

// invalidMapping refuses a mapping expression in AWS's words.
func invalidMapping(expression string) error {
	return invalidMappings("Invalid mapping expression specified: " + expression)
}

// invalidParameter refuses the name of a parameter: one that can't be, or that
// a mapping names and its method doesn't.
func invalidParameter(name string) error {
	return invalidMappings("Invalid mapping expression parameter specified: " + name)
}

func invalidMappings(problem string) error {
	return badRequest("Invalid mapping expression specified: Validation Result: warnings : [], errors : [%s]", problem)
}

// The names of parameters are those of AWS's documentation, not of HTTP.
const parameterName = `[a-zA-Z0-9._$-]+`

var (
	integrationParameter = regexp.MustCompile(`^integration\.request\.(header|querystring|path)\.` + parameterName + `$`)
	methodSource         = regexp.MustCompile(`^method\.request\.(?:multivalue)?(header|querystring|path)\.(` + parameterName + `)$`)
	requestSource        = regexp.MustCompile(`^(method\.request\.body(\..+|\[.+)?|context\..+|stageVariables\.\w+|'[\s\S]*')$`)
	responseSource       = regexp.MustCompile(`^(integration\.response\.(multivalue)?header\.[^\s]+|integration\.response\.body(\..+|\[.+)?|context\..+|stageVariables\.\w+|'[\s\S]*')$`)
	mediaType            = regexp.MustCompile(`^(\$default|[^\s/;]+/[^\s/;]+(\s*;.*)?)$`)
)

// checkRequestMappings refuses mappings of an integration's request that can't
// be, and those of parameters the method doesn't name. Those in old were there
// before: a parameter may have been taken from the method since.
func checkRequestMappings(method *apigateway.Method, mappings, old map[string]string) error {
	for _, target := range changedKeys(mappings, old) {
		if !integrationParameter.MatchString(target) {
			return invalidParameter(target)
		}
		source := mappings[target]
		if requestSource.MatchString(source) {
			continue
		}
		match := methodSource.FindStringSubmatch(source)
		if match == nil {
			return invalidMapping(source)
		}
		if !declares(method, match[1], match[2]) {
			return invalidParameter(source)
		}
	}
	return nil
}

// changedKeys are the keys of what is new or another value in m, sorted.
func changedKeys(m, old map[string]string) []string {
	var keys []string
	for key, v := range m {
		if was, ok := old[key]; !ok || was != v {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// declares tells whether a method has a parameter, as a single value or as
// many.
func declares(method *apigateway.Method, place, name string) bool {
	for _, prefix := range [...]string{"method.request.", "method.request.multivalue"} {
		if _, ok := method.RequestParameters[prefix+place+"."+name]; ok {
			return true
		}
	}
	return false
}

// checkResponseMappings refuses mappings of an integration's response that
// can't be, and those to headers that the method's response doesn't name. Those
// in old were there before.
func checkResponseMappings(method *apigateway.Method, status string, mappings, old map[string]string) error {
	changed := changedKeys(mappings, old)
	if _, ok := method.MethodResponses[status]; !ok && len(changed) > 0 {
		return invalidMappings("No method response exists for method.")
	}
	for _, target := range changed {
		if _, ok := method.MethodResponses[status].ResponseParameters[target]; !ok {
			return invalidParameter(target)
		}
		if source := mappings[target]; !responseSource.MatchString(source) {
			return invalidMapping(source)
		}
	}
	return nil
}

// checkMediaTypes refuses templates for what isn't a media type.
func checkMediaTypes(templates map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(templates)) {
		if !mediaType.MatchString(key) {
			return badRequest("Validation Result: warnings : [], errors : [Invalid content type specified: %s]", key)
		}
	}
	return nil
}

// hasStageVariable tells whether a text holds a stage variable, so that what it
// will be isn't known before a request.
func hasStageVariable(text string) bool { return strings.Contains(text, stageVariable) }

// stageVariable is how a reference to a variable of a stage begins.
const stageVariable = "${stageVariables."
