//! Our values in PostgreSQL's binary format.

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::value::Value;

type Failure = Box<dyn StdError + Sync + Send>;

/// PostgreSQL counts from 2000-01-01; in microseconds since 1970.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH: Date = date(2000, 1, 1);

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Refused(reason), _) => return Err((*reason).into()),
            (Self::Bool(value), &Type::BOOL) => out.put_u8(u8::from(*value)),
            (Self::Int(value), &Type::INT8) => out.put_i64(*value),
            (Self::Int(value), &Type::INT4) => out.put_i32(i32::try_from(*value)?),
            (Self::Int(value), &Type::INT2) => out.put_i16(i16::try_from(*value)?),
            (Self::Int(value), &Type::FLOAT8) => out.put_f64(value.to_string().parse()?),
            (Self::Int(value), &Type::NUMERIC) => put_numeric(*value, out),
            (Self::Real(value), &Type::FLOAT8) => out.put_f64(*value),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME | &Type::UNKNOWN)
            | (Self::Json(text), &Type::TEXT | &Type::JSON) => out.put_slice(text.as_bytes()),
            (Self::Json(text), &Type::JSONB) => {
                out.put_u8(1);
                out.put_slice(text.as_bytes());
            }
            (Self::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (Self::Uuid(id), &Type::UUID) => out.put_slice(id.as_bytes()),
            (Self::Time(micros), &Type::TIMESTAMPTZ) => {
                out.put_i64(micros.checked_sub(EPOCH_MICROS).ok_or("a time out of range")?);
            }
            (Self::Date(day), &Type::DATE) => out.put_i32(day.since(EPOCH)?.get_days()),
            (value, ty) => return Err(format!("{} cannot be sent as {ty}", value.kind()).into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw)?,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Self::Text(String::from_sql(ty, raw)?),
            Type::JSON => Self::Json(std::str::from_utf8(raw)?.to_owned()),
            Type::JSONB => match raw.split_first() {
                Some((1, text)) => Self::Json(std::str::from_utf8(text)?.to_owned()),
                _ => return Err("jsonb of an unknown version".into()),
            },
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(Uuid::from_slice(raw)?),
            Type::TIMESTAMPTZ => {
                let micros = i64::from_sql(&Type::INT8, raw)?;
                Self::Time(micros.checked_add(EPOCH_MICROS).ok_or("an infinite time")?)
            }
            Type::DATE => Self::Date(EPOCH.checked_add(i32::from_sql(&Type::INT4, raw)?.days())?),
            Type::VOID => Self::Null,
            _ => return Err(format!("columns of type {ty} are not read; cast it").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `sum(bigint)` and `avg` are NUMERIC: groups of four decimal digits, after a header of count, weight of
/// the first group, sign and scale. Whole numbers come out as integers, like on SQLite.
fn numeric(raw: &[u8]) -> Result<Value, Failure> {
    let word = |index: usize| -> Result<i16, Failure> {
        let bytes = raw.get(index * 2..index * 2 + 2).ok_or("a short number")?;
        Ok(i16::from_be_bytes(bytes.try_into()?))
    };
    let (count, weight, sign, scale) = (usize::try_from(word(0)?)?, i32::from(word(1)?), word(2)?, word(3)?);
    let minus = match sign {
        0 => "",
        0x4000 => "-",
        _ => return Err("not a finite number".into()),
    };
    let mut digits = String::new();
    for index in 0..count {
        digits.push_str(&format!("{:04}", word(4 + index)?));
    }
    // The digits written out are those of the number times 10000^(count - 1 - weight).
    let exponent = 4 * (weight + 1 - i32::try_from(count)?);
    if scale == 0 {
        let zeros = "0".repeat(usize::try_from(exponent).unwrap_or_default());
        if let Ok(whole) = format!("{minus}0{digits}{zeros}").parse() {
            return Ok(Value::Int(whole));
        }
    }
    Ok(Value::Real(format!("{minus}0{digits}e{exponent}").parse()?))
}

fn put_numeric(value: i64, out: &mut BytesMut) {
    let mut groups = Vec::new();
    let mut left = value.unsigned_abs();
    while left > 0 {
        groups.push(u16::try_from(left % 10_000).unwrap_or_default());
        left /= 10_000;
    }
    // At most five groups: the casts hold.
    let count = u16::try_from(groups.len()).unwrap_or_default();
    out.put_u16(count);
    out.put_u16(count.saturating_sub(1));
    out.put_u16(if value < 0 { 0x4000 } else { 0 });
    out.put_u16(0);
    for group in groups.into_iter().rev() {
        out.put_u16(group);
    }
}
