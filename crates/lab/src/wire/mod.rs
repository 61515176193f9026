//! The layer between HTTP and the operations: requests, errors, XML, bodies.

mod body;
mod chunked;
pub(crate) mod dates;
mod error;
mod ingest;
pub(crate) mod percent;
pub(crate) mod range;
mod reply;
mod request;
mod socket;
pub(crate) mod xml;

pub(crate) use body::{Body, Ending};
pub(crate) use error::{Code, Detail, S3Error};
pub(crate) use ingest::{Arrival, Ingested, ingest};
pub(crate) use reply::{Reply, Served};
pub(crate) use request::S3Request;
pub(crate) use socket::{LabSocket, Switch};
