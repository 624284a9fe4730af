package apigateway

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// minImportedKeyValue is the length of the shortest value that can be imported.
const minImportedKeyValue = 30

// An importedKey is a line of a file of API keys.
type importedKey struct {
	line                     int
	name, value, description string
	enabled                  bool
	plans                    []string
}

// ImportApiKeys makes the keys of a CSV file. A line that makes none is a
// warning, except when warnings are to fail: then no line makes any.
// UNVERIFIED: the words about lines, and that a line without Enabled makes a
// key that is switched off, as CreateApiKey does.
func (s *Service) ImportApiKeys(c *awswire.Call, in *apigateway.ImportApiKeysRequest) (*apigateway.ApiKeyIds, error) {
	keys, err := readKeys(string(in.Body))
	if err != nil {
		return nil, err
	}
	var out *apigateway.ApiKeyIds
	err = s.store.Update(c, func(tx *store.Tx) error {
		out = &apigateway.ApiKeyIds{Ids: []string{}}
		values := map[string]struct{}{}
		for _, k := range keys {
			id, err := s.importKey(tx, c, k, values)
			if refusal := (*awswire.Error)(nil); errors.As(err, &refusal) {
				out.Warnings = append(out.Warnings, fmt.Sprintf("Line %d: %s", k.line, refusal.Message))
				continue
			}
			if err != nil {
				return err
			}
			out.Ids = append(out.Ids, id)
		}
		if value(in.FailOnWarnings) && len(out.Warnings) > 0 {
			return badRequest("Warnings found during import:\n\t%s", strings.Join(out.Warnings, "\n\t"))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// importKey makes one key and puts it into its plans. Whatever it refuses, it
// refuses before it has written.
func (s *Service) importKey(tx *store.Tx, c *awswire.Call, in importedKey, values map[string]struct{}) (id string, err error) {
	if len(in.value) < minImportedKeyValue {
		return "", badRequest("API Key value should be at least %d characters", minImportedKeyValue)
	}
	plans := make([]*definition.UsagePlan, len(in.plans))
	for i, planID := range in.plans {
		if plans[i], err = getPlan(tx, c, planID); err != nil {
			return "", err
		}
		for _, other := range plans[:i] {
			if shared := sharedStage(plans[i], other); shared != "" {
				return "", planConflict(in.name, planID, shared)
			}
		}
	}
	key := &definition.APIKey{}
	key.Name, key.Value, key.Description, key.Enabled = nonEmpty(&in.name), &in.value, nonEmpty(&in.description), &in.enabled
	if err := s.addKey(tx, c, key, values); err != nil {
		return "", err
	}
	for _, plan := range plans {
		if err := putPlanKey(tx, c, *plan.Id, *key.Id); err != nil {
			return "", err
		}
	}
	return *key.Id, nil
}

// readKeys reads a file of keys. Its first line names the columns, in any
// order and case.
func readKeys(text string) ([]importedKey, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return nil, badRequest("Unable to read the API keys: the file has no header")
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range [...]string{"name", "key"} {
		if _, ok := columns[name]; !ok {
			return nil, badRequest("Unable to read the API keys: the file has no column %s", name)
		}
	}
	var keys []importedKey
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, badRequest("Unable to read the API keys: %v", err)
		}
		field := func(name string) string {
			if i, ok := columns[name]; ok && i < len(fields) {
				return strings.TrimSpace(fields[i])
			}
			return ""
		}
		line, _ := r.FieldPos(0)
		k := importedKey{line: line, name: field("name"), value: field("key"), description: field("description")}
		if text := field("enabled"); text != "" {
			if k.enabled, err = strconv.ParseBool(strings.ToLower(text)); err != nil {
				return nil, badRequest("Unable to read the API keys: line %d: Enabled must be TRUE or FALSE", line)
			}
		}
		for id := range strings.SplitSeq(field("usageplanids"), ",") {
			if id = strings.TrimSpace(id); id != "" {
				k.plans = append(k.plans, id)
			}
		}
		keys = append(keys, k)
	}
}
