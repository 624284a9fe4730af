package access

import (
	"strings"

	"gatehouse/internal/arn"
)

// route53 is about a hosted zone or a change. Their ARNs have no account.
func (r *request) route53() []need {
	if strings.HasPrefix(r.Operation, "List") && strings.Contains(r.Operation, "HostedZones") {
		return r.about("route53", "*")
	}
	at := func(kind, id string) string {
		return arn.ARN{Partition: arn.Partition(r.Region), Service: "route53", Resource: kind + "/" + id[strings.LastIndexByte(id, '/')+1:]}.String()
	}
	if id := text(r.Input, "HostedZoneId"); id != "" {
		return r.about("route53", at("hostedzone", id))
	}
	kind := text(r.Input, "ResourceType")
	if ids := append(texts(r.Input, "ResourceIds"), text(r.Input, "ResourceId")); kind != "" {
		var out []need
		for _, id := range ids {
			if id != "" {
				out = append(out, r.about("route53", at(kind, id))...)
			}
		}
		return out
	}
	id := text(r.Input, "Id")
	switch {
	case id != "" && r.Operation == "GetChange":
		return r.about("route53", at("change", id))
	case id != "" && strings.Contains(r.Operation, "HostedZone"):
		return r.about("route53", at("hostedzone", id))
	}
	return r.about("route53", "*")
}
