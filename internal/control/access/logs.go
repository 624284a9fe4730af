package access

import (
	"strings"

	"gatehouse/internal/arn"
)

// logs: what is about a log group is asked about as
// "log-group:NAME:log-stream:", with the name of a stream where there is one,
// which is why policies give groups as "log-group:NAME:*". Tags are about the
// plain ARN.
func (r *request) logs() []need {
	if at := text(r.Input, "ResourceArn"); at != "" {
		return r.about("logs", at)
	}
	stream := text(r.Input, "LogStreamName")
	named := false
	groups := append(texts(r.Input, "LogGroupNames"), texts(r.Input, "LogGroupIdentifiers")...)
	for _, name := range [...]string{"LogGroupName", "LogGroupIdentifier"} {
		named = named || has(r.Input, name)
		if v := text(r.Input, name); v != "" {
			groups = append(groups, v)
		}
	}
	switch {
	case len(groups) > 0:
	case named, r.Operation == "DescribeLogGroups", r.Operation == "ListLogGroups":
		groups = append(groups, "") // any
	default:
		return r.named("logs")
	}
	var out []need
	for _, name := range groups {
		out = append(out, need{action: r.logsAction(), resource: r.logGroup(name) + ":log-stream:" + stream})
	}
	return out
}

// logsAction is the action of an operation where it isn't called the same.
func (r *request) logsAction() string {
	if r.Operation == "ListLogGroups" {
		return "logs:DescribeLogGroups"
	}
	return "logs:" + r.Operation
}

// logGroup is the ARN of a group that is named, or given by its ARN.
func (r *request) logGroup(name string) string {
	if a, err := arn.Parse(name); err == nil && a.Service == "logs" {
		return strings.TrimSuffix(name, ":*")
	}
	return r.resource("logs", "log-group:"+name)
}
