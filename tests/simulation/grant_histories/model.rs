//! The model of one grant: what its clients know, and what follows from it.

use super::history::Act;
use latchkey_http::Response;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use simulation::json_of;
use std::collections::BTreeMap;
use std::time::Duration;

/// The grace window of refresh tokens: the default of the server.
pub(super) const GRACE: Duration = Duration::from_secs(30).saturating_add(protocol::limits::CLOCK_DIFFERENCE);
/// A second redemption of a code within this time is refused and revokes nothing (`protocol::RACE`).
pub(super) const RACE: Duration = protocol::RACE;
/// The lifetime of codes that the histories set: the longest allowed.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// The outcome of a request, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Rejected,
    /// No outcome: the store failed, and the client may try again.
    Unknown,
}

pub(super) fn outcome(response: &Response) -> Outcome {
    match response.status.as_u16() {
        200 => Outcome::Accepted,
        400 => {
            assert_eq!(json_of(response)["error"], "invalid_grant");
            Outcome::Rejected
        }
        401 => Outcome::Rejected,
        503 => {
            assert_eq!(json_of(response)["error"], "temporarily_unavailable");
            assert!(response.headers.contains_key("retry-after"));
            Outcome::Unknown
        }
        status => panic!("{status}: {}", String::from_utf8_lossy(&response.body)),
    }
}

/// An event that may have happened, or has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Knowledge {
    #[default]
    No,
    Maybe,
    Yes,
}

/// The knowledge of the clients about the grant.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: Duration,
    pub(super) redeemed: Knowledge,
    /// The moment at which the code was redeemed; as long as no redemption was accepted, the earliest at which it may have
    /// been.
    redeemed_at: Option<Duration>,
    /// Refresh tokens by depth: the code's own is at depth 0. More than one at a depth: the same generation, written
    /// differently after an access token was revoked.
    pub(super) refresh: Vec<Vec<Token>>,
    /// By depth: the first moment at which the token may have been rotated, and the first at which it certainly was.
    rotated: BTreeMap<usize, (Duration, Option<Duration>)>,
    pub(super) access: Vec<Token>,
    revoked: BTreeMap<Token, Knowledge>,
    pub(super) ended: Knowledge,
    /// An access token was revoked: successors may be written differently from then on.
    carries: bool,
}

/// The demand on the outcome of one request, if the model knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Accept,
    Reject,
    /// Both are right, and a rejection may end the grant.
    Either,
}

/// A token, shown by its end alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(pub(super) String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0[self.0.len() - 6..])
    }
}

/// A request of a step, with the token that it presents.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Redeem,
    Refresh { depth: usize, token: Token },
    UserInfo(Token),
    Revoke(Token),
    RevokeAccess(Token),
    ForeignRefresh(Token),
    ForeignRevoke(Token),
}

impl Model {
    fn head(&self) -> usize {
        self.refresh.len().saturating_sub(1)
    }

    /// The request of an act; `None` if the client has no such token yet.
    pub(super) fn request(&self, act: &Act) -> Option<Request> {
        let depth = |back: usize| self.refresh.len().checked_sub(back + 1);
        let refresh = |back| Some(self.refresh[depth(back)?].last().unwrap().clone());
        let access = |back: usize| self.access.len().checked_sub(back + 1).map(|index| self.access[index].clone());
        Some(match *act {
            Act::Redeem => Request::Redeem,
            Act::Refresh(back) => Request::Refresh { depth: depth(back)?, token: refresh(back)? },
            Act::UserInfo(back) => Request::UserInfo(access(back)?),
            Act::Revoke(back) => Request::Revoke(refresh(back)?),
            Act::RevokeAccess(back) => Request::RevokeAccess(access(back)?),
            Act::ForeignRefresh(back) => Request::ForeignRefresh(refresh(back)?),
            Act::ForeignRevoke(back) => Request::ForeignRevoke(refresh(back)?),
        })
    }

    /// The demand on a refresh if the head is where `beyond` says: 0 where the clients know it, 1 for one further.
    fn refresh_at(&self, depth: usize, beyond: usize) -> Demand {
        let head = self.head() + beyond;
        if depth == head {
            return Demand::Accept;
        }
        if depth + 1 < head {
            return Demand::Reject;
        }
        let (earliest, certain) = self.rotated.get(&depth).copied().unwrap_or((self.now, Some(self.now)));
        if self.now - earliest < GRACE {
            Demand::Accept
        } else if certain.is_some_and(|certain| self.now - certain >= GRACE) {
            Demand::Reject
        } else {
            Demand::Either
        }
    }

    /// The demand on a request if nothing else of the step mattered but rotations at the head.
    fn alone(&self, request: &Request, head_may_move: bool) -> Demand {
        match request {
            Request::Redeem if self.now >= CODE_LIFETIME => Demand::Reject,
            Request::Redeem if self.redeemed == Knowledge::No => Demand::Accept,
            Request::Redeem if self.redeemed == Knowledge::Yes => Demand::Reject,
            Request::Redeem => Demand::Either,
            Request::Refresh { depth, .. } => {
                let moved = head_may_move || self.rotated.contains_key(&self.head());
                let here = self.refresh_at(*depth, 0);
                if !moved || here == self.refresh_at(*depth, 1) { here } else { Demand::Either }
            }
            Request::UserInfo(token) => match self.revoked.get(token).copied().unwrap_or_default() {
                Knowledge::No => Demand::Accept,
                Knowledge::Maybe => Demand::Either,
                Knowledge::Yes => Demand::Reject,
            },
            Request::Revoke(_) | Request::RevokeAccess(_) | Request::ForeignRevoke(_) => Demand::Accept,
            Request::ForeignRefresh(_) => Demand::Reject,
        }
    }

    /// True if the request may end the grant.
    fn may_end(&self, request: &Request, head_may_move: bool) -> bool {
        match request {
            Request::Revoke(_) => true,
            Request::Refresh { .. } => self.alone(request, head_may_move) != Demand::Accept,
            Request::Redeem => self.is_replay(self.redeemed_at),
            _ => false,
        }
    }

    /// True if a redemption at this moment is a replay of one at `redeemed_at`. An expired code proves nothing.
    fn is_replay(&self, redeemed_at: Option<Duration>) -> bool {
        self.now < CODE_LIFETIME && redeemed_at.is_some_and(|at| self.now - at > RACE)
    }

    /// The demand on each request of a step.
    pub(super) fn demands(&self, requests: &[Request]) -> Vec<Demand> {
        let refreshes_head =
            |request: &Request| matches!(request, Request::Refresh { depth, .. } if *depth == self.head());
        let demand = |index: usize| {
            let request = &requests[index];
            let others = || requests.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
            let head_may_move = others().any(refreshes_head);
            let alone = self.alone(request, head_may_move);
            if matches!(request, Request::Redeem) {
                // One of several redemptions wins; `settle` counts them.
                let is_contested = others().any(|other| matches!(other, Request::Redeem));
                return if alone == Demand::Accept && is_contested { Demand::Either } else { alone };
            }
            let is_a_use = matches!(request, Request::Refresh { .. } | Request::UserInfo(_));
            if is_a_use && self.ended == Knowledge::Yes {
                return Demand::Reject;
            }
            let is_endangered = self.ended == Knowledge::Maybe
                || others().any(|other| self.may_end(other, requests.iter().any(refreshes_head)))
                || matches!(request, Request::UserInfo(token)
                    if others().any(|other| matches!(other, Request::RevokeAccess(revoked) if revoked == token)));
            if is_a_use && alone == Demand::Accept && is_endangered { Demand::Either } else { alone }
        };
        (0..requests.len()).map(demand).collect()
    }

    /// Takes in the outcomes of a step, which must meet the demands.
    pub(super) fn settle(
        &mut self,
        requests: &[Request],
        demands: &[Demand],
        responses: &[Response],
    ) -> Result<(), TestCaseError> {
        let outcomes: Vec<Outcome> = responses.iter().map(outcome).collect();
        for ((request, demand), outcome) in requests.iter().zip(demands).zip(&outcomes) {
            let is_met =
                !matches!((demand, outcome), (Demand::Accept, Outcome::Rejected) | (Demand::Reject, Outcome::Accepted));
            prop_assert!(is_met, "{request:?}: expected {demand:?}, got {outcome:?}; {self:?}");
        }
        let redemptions = requests.iter().zip(&outcomes).filter(|(request, _)| matches!(request, Request::Redeem));
        let (redemptions, accepted) = redemptions.fold((0, 0), |(all, accepted), (_, outcome)| {
            (all + 1, accepted + usize::from(*outcome == Outcome::Accepted))
        });
        prop_assert!(accepted <= 1, "the code was redeemed {accepted} times");
        let may_move = requests.iter().any(|request| matches!(request, Request::Refresh { .. }));
        let before = (self.redeemed, self.redeemed_at, self.head());
        for ((request, demand), (outcome, response)) in requests.iter().zip(demands).zip(outcomes.iter().zip(responses))
        {
            match (request, outcome) {
                (Request::Redeem, Outcome::Accepted) => {
                    self.redeemed = Knowledge::Yes;
                    // Whatever earlier requests without a response did, they did not redeem it.
                    self.redeemed_at = Some(self.now);
                    self.keep(0, response)?;
                }
                (Request::Redeem, Outcome::Unknown) => {
                    self.redeemed = self.redeemed.max(Knowledge::Maybe);
                    self.redeemed_at.get_or_insert(self.now);
                    if self.is_replay(before.1) {
                        self.ended = self.ended.max(Knowledge::Maybe);
                    }
                }
                (Request::Redeem, Outcome::Rejected) if self.now >= CODE_LIFETIME => {}
                (Request::Redeem, Outcome::Rejected) => match before {
                    (Knowledge::Yes, at, _) if self.is_replay(at) => self.ended = Knowledge::Yes,
                    // It lost to a request without a response, or to one of this step.
                    _ => {
                        self.redeemed_at.get_or_insert(self.now);
                        if self.is_replay(before.1) {
                            self.ended = self.ended.max(Knowledge::Maybe);
                        }
                        if redemptions == 1 || accepted == 0 {
                            self.redeemed = self.redeemed.max(Knowledge::Maybe);
                        }
                    }
                },
                (Request::Refresh { depth, .. }, Outcome::Accepted) => {
                    let rotated = self.rotated.entry(*depth).or_insert((self.now, None));
                    rotated.1.get_or_insert(self.now);
                    self.keep(depth + 1, response)?;
                }
                (Request::Refresh { depth, .. }, Outcome::Unknown) => {
                    if *depth == before.2 {
                        self.rotated.entry(*depth).or_insert((self.now, None));
                    }
                    if *demand != Demand::Accept || self.may_end(request, may_move) {
                        self.ended = self.ended.max(Knowledge::Maybe);
                    }
                }
                // The only reasons: it was a replay, or the grant had ended.
                (Request::Refresh { .. }, Outcome::Rejected) => self.ended = Knowledge::Yes,
                (Request::UserInfo(token), Outcome::Rejected) => {
                    // The grant ended, or this token was revoked.
                    let known = self.revoked.entry(token.clone()).or_default();
                    *known = Knowledge::Yes;
                }
                (Request::Revoke(_), Outcome::Accepted) => self.ended = Knowledge::Yes,
                (Request::Revoke(_), Outcome::Unknown) => self.ended = self.ended.max(Knowledge::Maybe),
                (Request::RevokeAccess(token), Outcome::Accepted | Outcome::Unknown) => {
                    self.carries = true;
                    let told = if *outcome == Outcome::Accepted { Knowledge::Yes } else { Knowledge::Maybe };
                    let known = self.revoked.entry(token.clone()).or_default();
                    *known = told.max(*known);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps the tokens of a response; `depth` is that of its refresh token.
    fn keep(&mut self, depth: usize, response: &Response) -> Result<(), TestCaseError> {
        let json = json_of(response);
        let text = |name: &str| Token(json[name].as_str().unwrap().to_owned());
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        for (other, tokens) in self.refresh.iter().enumerate() {
            prop_assert!(other == depth || !tokens.contains(&refresh), "one token at two places of the lineage");
        }
        prop_assert!(depth <= self.refresh.len(), "a successor of a token that has none");
        if depth == self.refresh.len() {
            self.refresh.push(Vec::new());
        }
        let known = &mut self.refresh[depth];
        if !known.contains(&refresh) {
            prop_assert!(known.is_empty() || self.carries, "two successors of one refresh token");
            known.push(refresh);
        }
        prop_assert!(!self.access.contains(&access), "an access token was issued twice");
        self.access.push(access);
        Ok(())
    }
}
