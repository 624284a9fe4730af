package compile

import (
	"fmt"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/definition"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
)

const logGroupPrefix = "log-group:"

// CheckAccessLog says why an access log format can't be written.
func (c *Compiler) CheckAccessLog(format string) error {
	_, err := observe.ParseFormat(format)
	return err
}

// accessLog compiles a stage's access log, the default one when it configures
// none.
func (c *Compiler) accessLog(api *plan.API, doc *definition.Stage) (plan.AccessLog, error) {
	settings := doc.AccessLogSettings
	if settings == nil || settings.DestinationArn == nil {
		return c.parts.DefaultAccessLog, nil
	}
	a, err := arn.Parse(*settings.DestinationArn)
	if err != nil {
		return nil, err
	}
	group, ok := strings.CutPrefix(a.Resource, logGroupPrefix)
	if a.Service != "logs" || !ok {
		return nil, fmt.Errorf("%s isn't the ARN of a log group", *settings.DestinationArn)
	}
	format, err := observe.ParseFormat(value(settings.Format))
	if err != nil {
		return nil, err
	}
	return c.parts.AccessLog(AccessLog{
		Format:   format,
		Account:  a.Account,
		Region:   a.Region,
		LogGroup: strings.TrimSuffix(group, ":*"),
		API:      api.ID,
		Stage:    value(doc.StageName),
	})
}
