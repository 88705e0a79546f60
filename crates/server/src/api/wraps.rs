//! `/v1/wraps`: the registry of which data key each subject was encrypted with.
//!
//! Invariant: a record is one JSON shape wherever it is shown, and that shape holds the wrapped
//! data key alone; the data key itself is in answers that were asked for it.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, Subject, WrapRecord, to_hex};
use keystead_service::{
    DataKeySource, Fault, ListWraps, PutWrap, Service, Unwrapped, WrapOrigin, WrapPage, WrapPut,
    WrapStatement,
};

use super::call::{Answer, Signed, field, finish};
use crate::json::{JsonText, Object};

const DEFAULT_LIMIT: usize = 100;
const DEFAULT_BYTES: i64 = 32;

/// `PUT /v1/wraps/{subject}`
pub(super) async fn put(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.put_wrap(cx, command).await;
    signed.answer(service, "PutWrap", parse_put, act, was_put).await
}

/// `GET /v1/wraps/{subject}`
pub(super) async fn describe(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, subject| service.describe_wrap(cx, subject).await;
    signed.answer(service, "DescribeWrap", parse_describe, act, shown).await
}

/// `POST /v1/wraps/{subject}/unwrap`
pub(super) async fn unwrap(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, subject| service.unwrap_wrap(cx, subject).await;
    signed.answer(service, "UnwrapSubject", parse_unwrap, act, unwrapped).await
}

/// `GET /v1/wraps?limit&after`
pub(super) async fn list(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.list_wraps(cx, command).await;
    signed.answer(service, "ListWraps", parse_list, act, page).await
}

/// `GET /v1/wrap-statement`
pub(super) async fn statement(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let parse = |signed: &Signed, _: &Account| signed.query(&[]).map(drop);
    let act = async |service: Arc<Service>, cx, ()| service.wrap_statement(cx).await;
    signed.answer(service, "StateWraps", parse, act, stated).await
}

pub(super) fn parse_put(signed: &Signed, _: &Account) -> Result<PutWrap, Fault> {
    let mut fields = signed.fields()?;
    let (given, bytes) = (fields.blob("data_key")?, fields.integer("bytes")?);
    finish(&fields)?;
    let data_key = match (given, bytes) {
        (Some(_), Some(_)) => return Err(field("bytes", "a data key that is given has a length")),
        (Some(given), None) => DataKeySource::Given(given),
        (None, bytes) => {
            let bytes = usize::try_from(bytes.unwrap_or(DEFAULT_BYTES));
            let bytes = bytes.map_err(|_| field("bytes", "must be 16 to 1,024"))?;
            DataKeySource::Generated { bytes }
        }
    };
    Ok(PutWrap { subject: subject(signed)?, data_key })
}

pub(super) fn parse_describe(signed: &Signed, _: &Account) -> Result<Subject, Fault> {
    signed.query(&[])?;
    subject(signed)
}

pub(super) fn parse_unwrap(signed: &Signed, _: &Account) -> Result<Subject, Fault> {
    finish(&signed.fields()?)?;
    subject(signed)
}

pub(super) fn parse_list(signed: &Signed, _: &Account) -> Result<ListWraps, Fault> {
    let query = signed.query(&["limit", "after"])?;
    let number = |name: &'static str| -> Result<Option<u64>, Fault> {
        let parsed = query.value(name).map(str::parse).transpose();
        parsed.map_err(|_| field(name, "not a number"))
    };
    let limit = number("limit")?.map_or(Ok(DEFAULT_LIMIT), usize::try_from);
    let limit = limit.map_err(|_| field("limit", "not a number"))?;
    Ok(ListWraps { limit, after: number("after")?.unwrap_or(0) })
}

fn subject(signed: &Signed) -> Result<Subject, Fault> {
    signed.segment(3)?.parse().map_err(|bad: keystead_domain::BadSubject| Fault::Field {
        field: "subject",
        message: bad.to_string(),
    })
}

fn was_put(put: &WrapPut) -> Answer {
    let status = match put.origin {
        WrapOrigin::Made => StatusCode::CREATED,
        WrapOrigin::Found => StatusCode::OK,
    };
    let secret = put.plaintext.as_ref().map_or(0, |plaintext| plaintext.len());
    let body = JsonText::object(secret, |o| {
        write_record(o, &put.record);
        if let Some(plaintext) = &put.plaintext {
            o.base64("plaintext", plaintext);
        }
    });
    Answer { status, ..Answer::ok(body) }
}

fn shown(record: &WrapRecord) -> Answer {
    Answer::ok(JsonText::object(0, |o| write_record(o, record)))
}

fn unwrapped(opened: &Unwrapped) -> Answer {
    Answer::ok(JsonText::object(opened.plaintext.len(), |o| {
        write_record(o, &opened.record);
        o.base64("plaintext", &opened.plaintext);
    }))
}

fn page(page: &WrapPage) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.list("wraps", &page.records, write_record);
        o.optional_text("next", page.next.map(|next| next.to_string()).as_deref());
    }))
}

fn stated(statement: &WrapStatement) -> Answer {
    let count = i64::try_from(statement.log.count).unwrap_or(i64::MAX);
    Answer::ok(JsonText::object(0, |o| {
        o.integer("count", count).text("chain", &to_hex(&statement.log.chain));
        o.base64("statement", &statement.signed);
    }))
}

/// Key id, version, message id (from which the nonce is derived), tag and algorithm: what R000-04
/// wants of a wrap record, and the envelope that holds them.
fn write_record(o: &mut Object<'_>, record: &WrapRecord) {
    let (facts, envelope) = (&record.facts, record.envelope());
    let sequence = i64::try_from(facts.sequence).unwrap_or(i64::MAX);
    o.text("wrap", &facts.id.to_string()).text("subject", facts.subject.as_str());
    o.text("tenant", &facts.tenant.to_string()).integer("sequence", sequence);
    o.text("algorithm", facts.algorithm.name());
    o.text("created_at", &facts.created_at.to_string())
        .text("key_check", &to_hex(&facts.key_check));
    o.text("key", &envelope.key.to_string()).text("key_version", &envelope.version.to_string());
    o.text("message_id", &to_hex(&envelope.message_id)).text("tag", &to_hex(&envelope.tag));
    o.base64("data_key", record.data_key.as_bytes());
}
