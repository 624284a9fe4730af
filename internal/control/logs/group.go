package logs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// A groupDoc is a stored log group: AWS's shape without what is computed, and
// the tags.
type groupDoc struct {
	api.LogGroup
	Tags map[string]string `json:"tags,omitzero"`
}

var groups = store.Kind[groupDoc]{Name: "logs/group"}

// describeLimit is how many groups or streams a page has at most.
const describeLimit = 50

func getGroup(tx *store.Tx, s store.Scope, name string) (*groupDoc, error) {
	doc, err := groups.Get(tx, s, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noGroup()
	}
	return doc, err
}

// group is the stored group, outside of a transaction.
func (s *Service) group(c *awswire.Call, scope store.Scope, name string) (doc *groupDoc, err error) {
	err = s.store.View(c, func(tx *store.Tx) error {
		doc, err = getGroup(tx, scope, name)
		return err
	})
	return doc, err
}

// change edits a stored group in a transaction.
func (s *Service) change(c *awswire.Call, name string, edit func(doc *groupDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		doc, err := getGroup(tx, scopeOf(c), name)
		if err != nil {
			return err
		}
		if err := edit(doc); err != nil {
			return err
		}
		return groups.Put(tx, scopeOf(c), doc, name)
	})
}

func groupARN(s store.Scope, name string) string {
	return arn.ARN{Partition: arn.Partition(s.Region), Service: "logs", Region: s.Region, Account: s.Account,
		Resource: "log-group:" + name}.String()
}

// identifier is the name in a log group identifier, which is a name or an ARN
// with or without its ":*".
func identifier(c *awswire.Call, id string) (string, error) {
	if !strings.HasPrefix(id, "arn:") {
		return id, nil
	}
	return nameInARN(c, id)
}

func nameInARN(c *awswire.Call, text string) (string, error) {
	a, err := arn.Parse(text)
	name, ok := strings.CutPrefix(a.Resource, "log-group:")
	name = strings.TrimSuffix(name, ":*")
	if err != nil || !ok || a.Service != "logs" || name == "" || strings.ContainsAny(name, ":*") {
		return "", invalid("The specified resource ARN is invalid.") // UNVERIFIED wording
	}
	if a.Account != c.Account || a.Region != c.Region {
		return "", noGroup()
	}
	return name, nil
}

// nameOrIdentifier is the group that a request names in one of two members.
func nameOrIdentifier(c *awswire.Call, name, id *string) (string, error) {
	switch {
	case name != nil && id != nil:
		return "", api.NewValidationException("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	case id != nil:
		return identifier(c, *id)
	default:
		return "", api.NewValidationException("At least one of LogGroup name and LogGroup ARN must be specified.") // UNVERIFIED wording
	}
}

// CreateLogGroup makes a log group.
func (s *Service) CreateLogGroup(c *awswire.Call, in *api.CreateLogGroupRequest) error {
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	name := *in.LogGroupName
	if len(name) >= 4 && strings.EqualFold(name[:4], "aws/") {
		return invalid("Log groups starting with AWS/ are reserved for AWS.")
	}
	doc := &groupDoc{
		LogGroup: api.LogGroup{
			LogGroupName:              in.LogGroupName,
			CreationTime:              new(s.now().UnixMilli()),
			KmsKeyId:                  in.KmsKeyId,
			LogGroupClass:             new(or(in.LogGroupClass, api.LogGroupClassStandard)),
			DeletionProtectionEnabled: in.DeletionProtectionEnabled,
		},
		Tags: in.Tags,
	}
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	return s.store.Update(c, func(tx *store.Tx) error {
		exists, err := groups.Exists(tx, scopeOf(c), name)
		if err != nil {
			return err
		}
		if exists {
			return api.NewResourceAlreadyExistsException("The specified log group already exists")
		}
		return groups.Put(tx, scopeOf(c), doc, name)
	})
}

// DeleteLogGroup removes a log group with all its events.
func (s *Service) DeleteLogGroup(c *awswire.Call, in *api.DeleteLogGroupRequest) error {
	name := *in.LogGroupName
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := getGroup(tx, scopeOf(c), name)
		if err != nil {
			return err
		}
		if or(doc.DeletionProtectionEnabled, false) {
			// UNVERIFIED wording.
			return api.NewValidationException("The specified log group has deletion protection enabled.")
		}
		return groups.Delete(tx, scopeOf(c), name)
	})
	if err != nil {
		return err
	}
	return s.logs.Delete(groupID(scopeOf(c), name))
}

// DescribeLogGroups lists log groups by name.
func (s *Service) DescribeLogGroups(c *awswire.Call, in *api.DescribeLogGroupsRequest) (*api.DescribeLogGroupsResponse, error) {
	pattern := or(in.LogGroupNamePattern, "")
	if in.LogGroupNamePrefix != nil && pattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	var only []string
	for _, id := range in.LogGroupIdentifiers {
		name, err := identifier(c, id)
		if err != nil {
			return nil, err
		}
		only = append(only, name)
	}
	if !mine(c, in.AccountIdentifiers) {
		return &api.DescribeLogGroupsResponse{LogGroups: []api.LogGroup{}}, nil
	}
	docs, next, err := s.listGroups(c, or(in.NextToken, ""), int(or(in.Limit, describeLimit)), func(doc *groupDoc) bool {
		name := *doc.LogGroupName
		return strings.HasPrefix(name, or(in.LogGroupNamePrefix, "")) && strings.Contains(name, pattern) &&
			(only == nil || slices.Contains(only, name)) &&
			(in.LogGroupClass == nil || *in.LogGroupClass == *doc.LogGroupClass)
	})
	if err != nil {
		return nil, err
	}
	out := &api.DescribeLogGroupsResponse{LogGroups: []api.LogGroup{}, NextToken: next}
	for _, doc := range docs {
		g, err := s.describe(c, doc)
		if err != nil {
			return nil, err
		}
		if pattern != "" {
			// Recorded: a search by pattern leaves these out.
			g.StoredBytes, g.MetricFilterCount = nil, nil
		}
		out.LogGroups = append(out.LogGroups, g)
	}
	return out, nil
}

// mine tells whether a list of accounts, if there is one, names the caller's.
func mine(c *awswire.Call, accounts []string) bool {
	return len(accounts) == 0 || slices.Contains(accounts, c.Account)
}

// listGroups returns a page of the groups wanted.
func (s *Service) listGroups(c *awswire.Call, token string, limit int, want func(*groupDoc) bool) (docs []*groupDoc, next *string, err error) {
	after, err := paging.Decode(token)
	if err != nil || len(after) > 1 {
		return nil, nil, invalid("The specified nextToken is invalid.")
	}
	err = s.store.View(c, func(tx *store.Tx) error {
		entries, err := groups.List(tx, scopeOf(c), store.Page{After: after})
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !want(e.Doc) {
				continue
			}
			if len(docs) == limit {
				next = new(paging.Encode(*docs[limit-1].LogGroupName))
				break
			}
			docs = append(docs, e.Doc)
		}
		return nil
	})
	return docs, next, err
}

// describe adds what is computed to the stored shape.
func (s *Service) describe(c *awswire.Call, doc *groupDoc) (api.LogGroup, error) {
	g := doc.LogGroup
	scope := scopeOf(c)
	bytes, err := s.logs.Group(groupID(scope, *g.LogGroupName)).Bytes()
	if err != nil {
		return g, logError(err)
	}
	g.LogGroupArn = new(groupARN(scope, *g.LogGroupName))
	g.Arn = new(*g.LogGroupArn + ":*")
	g.StoredBytes = &bytes
	g.MetricFilterCount = new(int32(0))
	return g, nil
}

// ListLogGroups lists log groups in short.
func (s *Service) ListLogGroups(c *awswire.Call, in *api.ListLogGroupsRequest) (*api.ListLogGroupsResponse, error) {
	if len(in.DataSources)+len(in.FieldIndexNames)+len(in.LogGroupTags) > 0 {
		return nil, awswire.NotImplemented("logs", "ListLogGroups by data source, field index or tag")
	}
	out := &api.ListLogGroupsResponse{LogGroups: []api.LogGroupSummary{}}
	if !mine(c, in.AccountIdentifiers) {
		return out, nil
	}
	// The model gives this limit no range.
	limit := int(or(in.Limit, describeLimit))
	if limit < 1 || limit > 1000 {
		return nil, invalid("The specified limit must be between 1 and 1000.")
	}
	docs, next, err := s.listGroups(c, or(in.NextToken, ""), limit, func(doc *groupDoc) bool {
		return matchesName(or(in.LogGroupNamePattern, ""), *doc.LogGroupName) &&
			(in.LogGroupClass == nil || *in.LogGroupClass == *doc.LogGroupClass)
	})
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		out.LogGroups = append(out.LogGroups, api.LogGroupSummary{
			LogGroupName: doc.LogGroupName, LogGroupArn: new(groupARN(scopeOf(c), *doc.LogGroupName)), LogGroupClass: doc.LogGroupClass,
		})
	}
	out.NextToken = next
	return out, nil
}

// matchesName reads ListLogGroups's pattern: alternatives between bars, found
// anywhere in the name, or at its start after a caret.
func matchesName(pattern, name string) bool {
	for alternative := range strings.SplitSeq(pattern, "|") {
		if start, ok := strings.CutPrefix(alternative, "^"); ok {
			if strings.HasPrefix(name, start) {
				return true
			}
		} else if strings.Contains(name, alternative) {
			return true
		}
	}
	return false
}

// retentionDays are the retentions there are.
var retentionDays = [...]int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy sets how many days events are kept.
func (s *Service) PutRetentionPolicy(c *awswire.Call, in *api.PutRetentionPolicyRequest) error {
	if !slices.Contains(retentionDays[:], *in.RetentionInDays) {
		var set []string
		for _, d := range retentionDays {
			set = append(set, strconv.Itoa(int(d)))
		}
		return invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [%s]", *in.RetentionInDays, strings.Join(set, ", ")))
	}
	return s.change(c, *in.LogGroupName, func(doc *groupDoc) error {
		doc.RetentionInDays = in.RetentionInDays
		return nil
	})
}

// DeleteRetentionPolicy keeps events for ever.
func (s *Service) DeleteRetentionPolicy(c *awswire.Call, in *api.DeleteRetentionPolicyRequest) error {
	return s.change(c, *in.LogGroupName, func(doc *groupDoc) error {
		doc.RetentionInDays = nil
		return nil
	})
}

// AssociateKmsKey notes a key. Events aren't encrypted with it: there is no KMS
// here.
func (s *Service) AssociateKmsKey(c *awswire.Call, in *api.AssociateKmsKeyRequest) error {
	name, err := nameOrIdentifier(c, in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return err
	}
	return s.change(c, name, func(doc *groupDoc) error {
		doc.KmsKeyId = in.KmsKeyId
		return nil
	})
}

// DisassociateKmsKey forgets the key.
func (s *Service) DisassociateKmsKey(c *awswire.Call, in *api.DisassociateKmsKeyRequest) error {
	name, err := nameOrIdentifier(c, in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return err
	}
	return s.change(c, name, func(doc *groupDoc) error {
		doc.KmsKeyId = nil
		return nil
	})
}

// PutLogGroupDeletionProtection guards a group against DeleteLogGroup, or not.
func (s *Service) PutLogGroupDeletionProtection(c *awswire.Call, in *api.PutLogGroupDeletionProtectionRequest) error {
	name, err := identifier(c, *in.LogGroupIdentifier)
	if err != nil {
		return err
	}
	return s.change(c, name, func(doc *groupDoc) error {
		doc.DeletionProtectionEnabled = in.DeletionProtectionEnabled
		return nil
	})
}
