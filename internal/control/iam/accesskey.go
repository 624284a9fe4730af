package iam

import (
	"slices"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// maxAccessKeys is how many keys a user can have.
const maxAccessKeys = 2

// active is the status of an access key that works.
const active = "Active"

func noKey(id string) error {
	return noSuchEntity("The Access Key with id " + id + " cannot be found.")
}

// CreateAccessKey makes a key; its secret is told this once.
func (s *Service) CreateAccessKey(c *awswire.Call, in *api.CreateAccessKeyRequest) (*api.CreateAccessKeyResponse, error) {
	name, err := nameOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	key, err := NewKeyID(s.random, keyID, c.Account)
	if err != nil {
		return nil, err
	}
	secret, err := NewSecret(s.random)
	if err != nil {
		return nil, err
	}
	k := &accessKeyDoc{User: id(name), Key: api.AccessKey{
		AccessKeyId: &key, SecretAccessKey: &secret, Status: new(active), CreateDate: now(c),
	}}
	err = s.changeUser(c, name, func(tx *store.Tx, d *userDoc) error {
		if len(d.AccessKeys) >= maxAccessKeys {
			return limitExceeded("Cannot exceed quota for AccessKeysPerUser: 2")
		}
		d.AccessKeys = append(d.AccessKeys, key)
		k.Key.UserName = d.User.UserName
		return accessKeys.Put(tx, scopeOf(c), k, key)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateAccessKeyResponse{AccessKey: &k.Key}, nil
}

// ListAccessKeys lists a user's keys without their secrets.
func (s *Service) ListAccessKeys(c *awswire.Call, in *api.ListAccessKeysRequest) (*api.ListAccessKeysResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	name, err := nameOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccessKeysResponse{AccessKeyMetadata: []api.AccessKeyMetadata{}}
	err = s.user(c, name, func(tx *store.Tx, d *userDoc) error {
		var ids []string
		pageOf(p, slices.Sorted(slices.Values(d.AccessKeys)), func(id string) { ids = append(ids, id) })
		for _, id := range ids {
			k, err := accessKeys.Get(tx, scopeOf(c), id)
			if err != nil {
				return err
			}
			out.AccessKeyMetadata = append(out.AccessKeyMetadata, api.AccessKeyMetadata{
				UserName: k.Key.UserName, AccessKeyId: k.Key.AccessKeyId, Status: k.Key.Status, CreateDate: k.Key.CreateDate,
			})
		}
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// UpdateAccessKey makes a key active or inactive.
func (s *Service) UpdateAccessKey(c *awswire.Call, in *api.UpdateAccessKeyRequest) error {
	return s.changeKey(c, in.UserName, *in.AccessKeyId, func(tx *store.Tx, _ *userDoc, k *accessKeyDoc) error {
		k.Key.Status = in.Status
		return accessKeys.Put(tx, scopeOf(c), k, *in.AccessKeyId)
	})
}

// DeleteAccessKey deletes a key.
func (s *Service) DeleteAccessKey(c *awswire.Call, in *api.DeleteAccessKeyRequest) error {
	return s.changeKey(c, in.UserName, *in.AccessKeyId, func(tx *store.Tx, d *userDoc, _ *accessKeyDoc) error {
		d.AccessKeys = slices.DeleteFunc(d.AccessKeys, func(id string) bool { return id == *in.AccessKeyId })
		return accessKeys.Delete(tx, scopeOf(c), *in.AccessKeyId)
	})
}

func (s *Service) changeKey(c *awswire.Call, user *string, key string, fn func(tx *store.Tx, d *userDoc, k *accessKeyDoc) error) error {
	name, err := nameOrCaller(c, user)
	if err != nil {
		return err
	}
	return s.changeUser(c, name, func(tx *store.Tx, d *userDoc) error {
		if !slices.Contains(d.AccessKeys, key) {
			return noKey(key)
		}
		k, err := accessKeys.Get(tx, scopeOf(c), key)
		if err != nil {
			return err
		}
		return fn(tx, d, k)
	})
}

// GetAccessKeyLastUsed tells whose a key is and when it was last seen since the
// gateway started.
func (s *Service) GetAccessKeyLastUsed(c *awswire.Call, in *api.GetAccessKeyLastUsedRequest) (*api.GetAccessKeyLastUsedResponse, error) {
	out := &api.GetAccessKeyLastUsedResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		k, err := accessKeys.Get(tx, scopeOf(c), *in.AccessKeyId)
		if err != nil {
			return orNoSuch(err, "The Access Key with id "+*in.AccessKeyId+" cannot be found.")
		}
		out.UserName = k.Key.UserName
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.AccessKeyLastUsed = s.directory.keyLastUsed(*in.AccessKeyId)
	return out, nil
}
