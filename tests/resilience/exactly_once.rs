//! Races: RFC 6749 §4.1.2 (a code is used once) and RFC 9700 §4.14.2 (one family of refresh tokens), 32 at a time.

use std::thread;
use suite::{AuthorizationRequest, Browser, Client, Reply, TokenRequest, Tokens, grant, revoke, spa, web};

/// Sends the same request from many threads at the same moment.
fn at_once(request: &TokenRequest) -> Vec<Reply> {
    suite::at_once(|_| request.send())
}

fn code(client: &Client) -> TokenRequest {
    let request = AuthorizationRequest::new(client).offline();
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code())
}

/// Exactly one of many redemptions of a code succeeds; its tokens stay valid.
#[test]
fn one_of_32_redemptions_of_a_code_wins() {
    for client in [spa(), web()] {
        let replies = at_once(&code(&client));
        let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1, "winners: {won:?}");
        for reply in lost {
            reply.expect_error(400, "invalid_grant");
        }
        let tokens = Tokens::read(&client, won[0].clone());
        assert!(tokens.is_live(), "the race killed the winner's access token");
        let next = tokens.refresh_request().tokens();
        assert!(next.is_live());
        next.refresh_request().tokens();
    }
}

/// All of many uses of one refresh token get the same successor; each issued token works at its next use.
#[test]
fn all_of_32_uses_of_a_refresh_token_get_the_same_successor() {
    for client in [spa(), web()] {
        let first = grant(&client);
        let tokens: Vec<_> =
            at_once(&first.refresh_request()).into_iter().map(|reply| Tokens::read(&client, reply)).collect();
        for other in &tokens {
            assert_eq!(other.refresh(), tokens[0].refresh(), "two families");
            assert!(other.is_live(), "a token handed out is dead");
        }
        let next = tokens[tokens.len() - 1].refresh_request().tokens();
        assert!(next.is_live());
        next.refresh_request().tokens();
    }
}

/// The successor of a race can be used in another race: still one family.
#[test]
fn a_race_can_follow_a_race() {
    let mut tokens = grant(&spa());
    for _ in 0..3 {
        let replies = at_once(&tokens.refresh_request());
        let all: Vec<_> = replies.into_iter().map(|reply| Tokens::read(&spa(), reply)).collect();
        assert!(all.iter().all(|other| other.refresh() == all[0].refresh()));
        tokens = all[0].clone();
    }
    assert!(tokens.is_live());
}

/// In any order of a revocation and concurrent refreshes, no token works afterwards.
#[test]
fn nothing_survives_a_revocation_in_a_race() {
    let first = grant(&spa());
    let request = first.refresh_request();
    let replies = thread::scope(|scope| {
        let refreshing = scope.spawn(|| at_once(&request));
        let revoking = scope.spawn(|| revoke(&spa(), first.refresh(), None));
        revoking.join().expect("an answer").expect(200);
        refreshing.join().expect("answers")
    });
    for reply in replies {
        if reply.status != 200 {
            reply.expect_error(400, "invalid_grant");
            continue;
        }
        let tokens = Tokens::read(&spa(), reply);
        assert!(!tokens.is_live(), "an access token outlives the revocation");
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
    }
    assert!(!first.is_live());
}

/// Many concurrent revocations of one token all succeed.
#[test]
fn revocations_at_once_all_succeed() {
    let tokens = grant(&spa());
    for reply in suite::race(8, |_| revoke(&spa(), tokens.refresh(), Some("refresh_token"))) {
        reply.expect(200);
    }
    assert!(!tokens.is_live());
}

/// Access tokens of one grant that are revoked at the same time are all revoked, and the grant stays alive.
#[test]
fn access_tokens_revoked_at_once_are_all_revoked() {
    let mut all = vec![grant(&spa())];
    for _ in 0..5 {
        let next = all[all.len() - 1].refresh_request().tokens();
        all.push(next);
    }
    let (live, dead) = all.split_last().expect("six");
    for reply in suite::race(dead.len(), |index| revoke(&spa(), dead[index].access(), None)) {
        reply.expect(200);
    }
    for tokens in dead {
        assert!(!tokens.is_live());
    }
    assert!(live.is_live());
    live.refresh_request().tokens();
}
