package policy

import (
	"fmt"
	"slices"
	"strings"
)

const errLegacy = Error("The policy failed legacy parsing")

// checkIdentity applies the rules of managed, inline and session policies, in the order
// in which AWS finds faults.
func checkIdentity(kind Kind, d *Document) error {
	// Inline policies written before 2012 are still accepted.
	if kind == Managed && d.Version != "2012-10-17" {
		return Error("Policy document must be version 2012-10-17 or greater.")
	}
	for _, s := range d.Statements {
		if s.Principal != nil || s.NotPrincipal != nil {
			return Error("Policy document should not specify a principal.")
		}
	}
	for _, s := range d.Statements {
		if err := checkDates(s); err != nil {
			return err
		}
	}
	var resource error
	for _, s := range d.Statements {
		for _, r := range slices.Concat(s.Resource, s.NotResource) {
			if err := checkResource(r); err != nil && resource == nil {
				resource = err
			}
			if resource == nil && legacyResource(r) {
				return errLegacy
			}
		}
	}
	if err := checkSids(d); err != nil {
		return err
	}
	for _, s := range d.Statements {
		if len(s.Action)+len(s.NotAction) == 0 {
			return Error("Policy statement must contain actions.")
		}
	}
	if resource != nil {
		return resource
	}
	for _, s := range d.Statements {
		for _, a := range slices.Concat(s.Action, s.NotAction) {
			if err := checkAction(a); err != nil {
				return err
			}
		}
	}
	for _, s := range d.Statements {
		if len(s.Resource)+len(s.NotResource) == 0 {
			return Error("Policy statement must contain resources.")
		}
	}
	return nil
}

func checkDates(s Statement) error {
	for _, c := range s.Conditions {
		p, _ := parseOperator(c.Operator)
		if p.operator < dateEquals || p.operator > dateGreaterEquals {
			continue
		}
		if slices.ContainsFunc(c.Values, func(v string) bool { return !validDate(v) }) {
			return errLegacy
		}
	}
	return nil
}

// validDate lets variables pass, which IAM does, though they never match.
func validDate(s string) bool {
	_, ok := parseDate(s)
	return ok || strings.Contains(s, "${")
}

func checkSids(d *Document) error {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if s.Sid == "" {
			continue
		}
		if strings.ContainsFunc(s.Sid, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return Error("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if seen[s.Sid] {
			return Error("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
	}
	return nil
}

func checkAction(action string) error {
	vendor, rest, ok := strings.Cut(action, ":")
	switch {
	case action == "*":
		return nil
	case !ok:
		return Error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case strings.Contains(rest, ":"):
		return Error("Actions/Condition can contain only one colon.")
	case vendor != "*" && strings.ContainsFunc(vendor, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '.'
	}):
		return Error("Vendor " + vendor + " is not valid")
	}
	return nil
}

// checkResource wants "*" or an ARN whose partition exists; IAM knows a little
// more of its own ARNs and of S3's.
func checkResource(resource string) error {
	if resource == "*" {
		return nil
	}
	_, rest, ok := strings.Cut(resource, ":")
	if !ok {
		return Error(fmt.Sprintf(`Resource %s must be in ARN format or "*".`, resource))
	}
	partition, rest, ok := strings.Cut(rest, ":")
	if !knownPartition(partition) {
		part := [4]string{"*", "*", "*", "*"}
		for i, p := range strings.SplitN(rest, ":", 4) {
			if p != "" || strings.Contains(rest, ":") {
				part[i] = p
			}
		}
		return Error(fmt.Sprintf(`Partition "%s" is not valid for resource "arn:%s:%s:%s:%s:%s".`, partition, partition, part[0], part[1], part[2], part[3]))
	}
	if !ok {
		return Error("Resource vendor must be fully qualified and cannot contain regexes.")
	}
	service, rest, _ := strings.Cut(rest, ":")
	region, rest, more := strings.Cut(rest, ":")
	_, id, _ := strings.Cut(rest, ":")
	switch service {
	case "iam":
		if region != "" || !more {
			return Error("IAM resource " + resource + " cannot contain region information.")
		}
		if id != "*" && !slices.ContainsFunc(iamResources[:], func(p string) bool { return strings.HasPrefix(id, p) }) {
			return Error(`IAM resource path must either be "*" or start with ` + strings.Join(iamResources[:], ", ") + ".")
		}
	case "s3":
		if (region != "" || !more) && !strings.HasPrefix(id, "accesspoint/") {
			return Error("Resource " + resource + " can not contain region information.")
		}
	}
	return nil
}

// legacyResource tells whether IAM's older parser stumbles over an ARN whose
// parts are too few and empty.
func legacyResource(resource string) bool {
	if resource == "*" {
		return false
	}
	if strings.Count(resource, ":") < 5 && strings.Contains(resource, "::") {
		return true
	}
	part := strings.SplitN(resource, ":", 4)
	return len(part) < 3 || part[2] == ""
}

func knownPartition(p string) bool {
	switch p {
	case "*", "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc":
		return true
	}
	// ${aws:Partition} and wildcards such as aws* name what exists.
	return strings.HasPrefix(p, "aws*") || strings.HasPrefix(p, "${")
}

// iamResources are the kinds of things IAM has ARNs for.
var iamResources = [...]string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
	"sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}
