package apiid

import (
	"fmt"
	"io"
	"regexp"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CustomTag gives a new API the id in its value, so that URLs can be stable.
const CustomTag = "_custom_id_"

// Ids are the first label of a host name.
var custom = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// A MalformedError refuses a value of CustomTag that can't be an id, a
// TakenError one that another API has.
type (
	MalformedError struct{ ID string }
	TakenError     struct{ ID string }
)

func (e *MalformedError) Error() string {
	return fmt.Sprintf("Invalid value for the tag %s: %q is not a host name label of lower-case letters, digits and hyphens", CustomTag, e.ID)
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("The API identifier %s given by the tag %s is already in use", e.ID, CustomTag)
}

// Claim takes the id that was asked for, or a random one for "", for an API of
// the scope. The error is a *MalformedError or a *TakenError, or the store's.
func Claim(tx *store.Tx, random io.Reader, owner store.Scope, asked string) (string, error) {
	taken := func(id string) (bool, error) { return definition.APIOwners.Exists(tx, store.Scope{}, id) }
	id := asked
	if asked == "" {
		var err error
		if id, err = Free(random, APILength, taken); err != nil {
			return "", err
		}
	} else if err := checkCustom(asked, taken); err != nil {
		return "", err
	}
	return id, definition.APIOwners.Put(tx, store.Scope{}, &definition.Reference{ID: owner.Account + "/" + owner.Region}, id)
}

func checkCustom(id string, taken func(string) (bool, error)) error {
	if !custom.MatchString(id) {
		return &MalformedError{id}
	}
	used, err := taken(id)
	if err == nil && used {
		return &TakenError{id}
	}
	return err
}
