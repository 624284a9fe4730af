package compile

import (
	"fmt"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/contextvar"
	"gatehouse/internal/definition"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
)

const logGroupPrefix = "log-group:"

// CheckAccessLog says why an access log format of an HTTP or WebSocket API can't
// be written.
func (c *Compiler) CheckAccessLog(api *definition.API, format string) error {
	_, err := observe.ParseFormat(format, lookup(protocol(api)))
	return err
}

// lookup finds the variables of $context that an API of apigatewayv2 has.
func lookup(p plan.Protocol) observe.Lookup {
	if p == plan.WebSocket {
		return contextvar.LookupWebSocket
	}
	return contextvar.Lookup
}

// CheckRestAccessLog says why an access log format of a REST API can't be
// written.
func (c *Compiler) CheckRestAccessLog(format string) error {
	_, err := observe.ParseFormat(format, contextvar.LookupREST)
	return err
}

// accessLog compiles the access log of an HTTP or WebSocket API's stage.
func (c *Compiler) accessLog(api *plan.API, doc *definition.Stage) (plan.AccessLog, error) {
	settings := doc.AccessLogSettings
	if settings == nil {
		return c.parts.DefaultAccessLog, nil
	}
	return c.accessLogOf(api, value(doc.StageName), settings.DestinationArn, settings.Format, lookup(api.Protocol))
}

// restAccessLog compiles the access log of a REST API's stage.
func (c *Compiler) restAccessLog(api *plan.API, doc *definition.RestStage) (plan.AccessLog, error) {
	settings := doc.AccessLogSettings
	if settings == nil {
		return c.parts.DefaultAccessLog, nil
	}
	return c.accessLogOf(api, value(doc.StageName), settings.DestinationArn, settings.Format, contextvar.LookupREST)
}

// accessLogOf compiles the access log that a stage configures, the default one
// without a destination or a format: stages of REST APIs may have one of them.
func (c *Compiler) accessLogOf(api *plan.API, stage string, destination, text *string, lookup observe.Lookup) (plan.AccessLog, error) {
	if value(destination) == "" || value(text) == "" {
		return c.parts.DefaultAccessLog, nil
	}
	a, err := arn.Parse(*destination)
	if err != nil {
		return nil, err
	}
	group, ok := strings.CutPrefix(a.Resource, logGroupPrefix)
	if a.Service != "logs" || !ok {
		return nil, fmt.Errorf("%s isn't the ARN of a log group", *destination)
	}
	format, err := observe.ParseFormat(value(text), lookup)
	if err != nil {
		return nil, err
	}
	return c.parts.AccessLog(AccessLog{
		Format:   format,
		Account:  a.Account,
		Region:   a.Region,
		LogGroup: strings.TrimSuffix(group, ":*"),
		API:      api.ID,
		Stage:    stage,
	})
}
