// Signs users of a pool up and in with amazon-cognito-identity-js, the client of
// web pages. userpool_test.go runs it, with what it needs in the environment.
import assert from 'node:assert/strict';

import identity from 'amazon-cognito-identity-js';

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = identity;
const { ENDPOINT, POOL, CLIENT } = process.env;
const pool = new CognitoUserPool({ UserPoolId: POOL, ClientId: CLIENT, endpoint: ENDPOINT });
const userOf = (Username) => new CognitoUser({ Username, Pool: pool });

// promised makes one of a call that takes a callback as its last argument.
const promised = (call) => new Promise((resolve, reject) => {
  call((err, value) => (err ? reject(err) : resolve(value)));
});

// signIn signs a user in by SRP; a new password is what it answers when asked.
function signIn(user, Username, Password, newPassword) {
  return new Promise((resolve, reject) => {
    const callbacks = {
      onSuccess: resolve,
      onFailure: reject,
      newPasswordRequired: () => (newPassword
        ? user.completeNewPasswordChallenge(newPassword, {}, callbacks)
        : reject(new Error('a new password is required'))),
    };
    user.authenticateUser(new AuthenticationDetails({ Username, Password }), callbacks);
  });
}

const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

// By name and by alias. SRP's numbers are random: a padding that is wrong shows in
// one of many runs.
const alice = userOf('alice');
for (let run = 0; run < 12; run += 1) {
  const session = await signIn(alice, 'alice', 'Passw0rd!');
  assert.ok(session.isValid());
  assert.equal(claimsOf(session.getIdToken().getJwtToken()).aud, CLIENT);
  assert.equal(session.getAccessToken().payload.username, 'alice');
}
assert.equal((await signIn(userOf('alice@example.com'), 'alice@example.com', 'Passw0rd!')).getAccessToken().payload.username, 'alice');
await assert.rejects(signIn(userOf('alice'), 'alice', 'wrong'), { code: 'NotAuthorizedException', message: 'Incorrect username or password.' });
await assert.rejects(signIn(userOf('nobody'), 'nobody', 'wrong'), { code: 'UserNotFoundException' });

// A temporary password gives way to the user's own.
const bob = userOf('bob');
await assert.rejects(signIn(userOf('bob'), 'bob', 'Tempor4ry!', 'weak'), { code: 'InvalidPasswordException' });
await signIn(bob, 'bob', 'Tempor4ry!', 'Passw0rd!');
await signIn(bob, 'bob', 'Passw0rd!');

// What users do with themselves.
const attributes = await promised((done) => alice.getUserAttributes(done));
assert.equal(attributes.find((a) => a.getName() === 'email').getValue(), 'alice@example.com');
assert.equal(await promised((done) => alice.updateAttributes([new CognitoUserAttribute({ Name: 'nickname', Value: 'al' })], done)), 'SUCCESS');
assert.equal(await promised((done) => alice.changePassword('Passw0rd!', 'An0ther!', done)), 'SUCCESS');
await signIn(alice, 'alice', 'An0ther!');
const before = alice.getSignInUserSession();
const after = await promised((done) => alice.refreshSession(before.getRefreshToken(), done));
assert.equal(claimsOf(after.getAccessToken().getJwtToken()).origin_jti, claimsOf(before.getAccessToken().getJwtToken()).origin_jti);
await new Promise((resolve, reject) => { alice.globalSignOut({ onSuccess: resolve, onFailure: reject }); });
await assert.rejects(promised((done) => alice.refreshSession(before.getRefreshToken(), done)), { code: 'NotAuthorizedException' });

// Somebody new.
const made = await promised((done) => pool.signUp('carol', 'Passw0rd!', [new CognitoUserAttribute({ Name: 'email', Value: 'carol@example.com' })], null, done));
assert.equal(made.userConfirmed, false);
assert.equal(made.codeDeliveryDetails.Destination, 'c***@e***');
await assert.rejects(signIn(userOf('carol'), 'carol', 'Passw0rd!'), { code: 'UserNotConfirmedException' });
await assert.rejects(promised((done) => userOf('carol').confirmRegistration('nonsense', false, done)), { code: 'CodeMismatchException' });
