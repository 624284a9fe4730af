package iam

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// What is stored. Ids are the name in lower case, or the access key's id. The
// grants of an identity live with it: a role and what it may do change together.
var (
	roles      = store.Kind[roleDoc]{Name: "iam/role"}
	users      = store.Kind[userDoc]{Name: "iam/user"}
	groups     = store.Kind[groupDoc]{Name: "iam/group"}
	policies   = store.Kind[policyDoc]{Name: "iam/policy"}
	awsUsages  = store.Kind[awsUsageDoc]{Name: "iam/awsPolicyUsage"}
	accessKeys = store.Kind[accessKeyDoc]{Name: "iam/accessKey", Sealed: true}
	profiles   = store.Kind[profileDoc]{Name: "iam/instanceProfile"}
	deletions  = store.Kind[deletionDoc]{Name: "iam/roleDeletion"}
	accounts   = store.Kind[accountDoc]{Name: "iam/account"}
)

type roleDoc struct {
	Role   api.Role
	Grants grants
}

type userDoc struct {
	User   api.User
	Grants grants
	// Groups are the ids of the groups the user is in.
	Groups []string `json:",omitempty"`
	// AccessKeys are the ids of the user's keys, oldest first.
	AccessKeys []string `json:",omitempty"`
}

type groupDoc struct {
	Group  api.Group
	Grants grants
}

// A policyDoc is a managed policy. The counts in Policy are kept by whoever
// attaches and detaches it.
type policyDoc struct {
	Policy api.Policy
	// Versions are newest last, with their documents as they were given.
	Versions []api.PolicyVersion
	// Last is the number of the version made last; numbers aren't used again.
	Last int
}

// An awsUsageDoc counts an account's uses of a policy that AWS manages.
type awsUsageDoc struct {
	Attachments, Boundaries int32
}

type accessKeyDoc struct {
	Key api.AccessKey
	// User is the id of the user it belongs to.
	User string
}

type profileDoc struct {
	Profile api.InstanceProfile
	// Role is the id of the role in it, if any.
	Role string `json:",omitempty"`
}

type deletionDoc struct {
	Role string
}

type accountDoc struct {
	Alias string `json:",omitempty"`
}

// id is where a name is stored.
func id(name *string) string { return strings.ToLower(value(name)) }

// path is the path given, or the default.
func path(p *string) *string { return new(cmp.Or(value(p), "/")) }

// arnOf is the ARN of an identity, kind being as in "role".
func arnOf(c *awswire.Call, kind string, path, name *string) *string {
	return new("arn:" + partition(c) + ":iam::" + c.Account + ":" + kind + *path + *name)
}

// now is the time of the call; IAM's times have whole seconds.
func now(c *awswire.Call) *time.Time { return new(c.Time.UTC().Truncate(time.Second)) }

// encoded is a policy document as answers carry it: percent-encoded as URLs
// are, with %20 for a blank. Clients decode + as a blank, so that is encoded too.
func encoded(document *string) *string {
	if document == nil {
		return nil
	}
	return new(strings.ReplaceAll(url.QueryEscape(*document), "+", "%20"))
}

// weigh counts the characters of a document as IAM's size limits do: without
// white space.
func weigh(document string) int {
	n := 0
	for _, r := range document {
		switch r {
		case ' ', '\t', '\r', '\n':
		default:
			n++
		}
	}
	return n
}
