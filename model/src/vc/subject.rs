//! The subject of a KYC credential: what an issuer states about a person. Source: idos-facts 4.12.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{VcError, ascii85};
use crate::id::UserId;

/// Context of the members of `credentialSubject`, the subject's own `@context`.
pub const SUBJECT_CONTEXT: &str =
    "https://idos-network.github.io/idos-sdk-js/credentials/idos-credential-subject-v2.json";

/// A file inside a credential: an image of a document or a face. Its size steers the size of the
/// credential, which grows by five characters for four bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct File(pub Arc<[u8]>);

impl From<&[u8]> for File {
    fn from(bytes: &[u8]) -> File {
        File(bytes.into())
    }
}

// The bytes would bury everything else in a failure message.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({} bytes)", self.0.len())
    }
}

/// Names of which at least one is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `firstName` alone.
    First(String),
    /// `familyName` alone.
    Family(String),
    /// Both.
    Full {
        /// `firstName`.
        first: String,
        /// `familyName`.
        family: String,
    },
}

/// A country by its two upper-case letters, ISO 3166-1 alpha-2. Whether it exists is not checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of these two letters; other characters give nothing.
    pub const fn new(letters: [u8; 2]) -> Option<Country> {
        if letters[0].is_ascii_uppercase() && letters[1].is_ascii_uppercase() {
            Some(Country(letters))
        } else {
            None
        }
    }
}

impl FromStr for Country {
    type Err = VcError;

    fn from_str(text: &str) -> Result<Country, VcError> {
        let letters: Option<[u8; 2]> = text.as_bytes().try_into().ok();
        letters
            .and_then(Country::new)
            .ok_or(VcError::BadField { field: "country" })
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.map(char::from).iter().collect::<String>())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Defines an enum whose values have a fixed text in JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The text in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }

            fn parse(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// Kind of identity document. The sources count seven values; the first three are known by name, the
    /// others are chosen here.
    IdDocumentType {
        /// A passport.
        Passport = "PASSPORT",
        /// A driving licence.
        Drivers = "DRIVERS",
        /// A national identity card.
        IdCard = "ID_CARD",
        /// A residence permit.
        ResidencePermit = "RESIDENCE_PERMIT",
        /// A visa.
        Visa = "VISA",
        /// A voter's card.
        VoterCard = "VOTER_CARD",
        /// A tax or social security card.
        TaxCard = "TAX_CARD",
    }
}

words! {
    /// Gender as documents state it.
    Gender {
        /// `M`.
        Male = "M",
        /// `F`.
        Female = "F",
        /// `OTHER`.
        Other = "OTHER",
    }
}

/// Evidence that somebody lives at an address; with it a credential reaches level `plus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressProof {
    /// Kind of evidence, such as `UTILITY_BILL`; member `residentialAddressProofCategory`.
    pub category: String,
    /// The evidence itself; member `residentialAddressProofFile`.
    pub file: File,
    /// When it was made; member `residentialAddressProofDateOfIssue`.
    pub date_of_issue: Option<Date>,
}

/// Where a person lives. In JSON the members stand flat in the subject, after `residentialAddress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidentialAddress {
    /// Street, without the house number.
    pub street: String,
    /// House number.
    pub house_number: Option<String>,
    /// Post code.
    pub postal_code: Option<String>,
    /// City.
    pub city: String,
    /// Country.
    pub country: Country,
    /// Evidence, when the issuer saw some.
    pub proof: Option<AddressProof>,
}

/// What an issuer states about a person. Members that every idOS KYC credential has are not optional.
/// Dates are written as midnight UTC, files in Ascii85.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The profile the credential is about; member `id`, as `urn:uuid:<user id>`.
    pub user: UserId,
    /// First and family name, at least one of them.
    pub name: Name,
    /// `middleName`.
    pub middle_name: Option<String>,
    /// `maidenName`.
    pub maiden_name: Option<String>,
    /// `dateOfBirth`.
    pub date_of_birth: Date,
    /// `placeOfBirth`.
    pub place_of_birth: Option<String>,
    /// `gender`.
    pub gender: Option<Gender>,
    /// `nationality`.
    pub nationality: Option<Country>,
    /// `ssn`, nine digits where it exists.
    pub ssn: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `phoneNumber`.
    pub phone_number: Option<String>,
    /// `idDocumentCountry`: who issued the document.
    pub id_document_country: Country,
    /// `idDocumentNumber`.
    pub id_document_number: String,
    /// `idDocumentType`.
    pub id_document_type: IdDocumentType,
    /// `idDocumentDateOfIssue`.
    pub id_document_date_of_issue: Option<Date>,
    /// `idDocumentDateOfExpiry`.
    pub id_document_date_of_expiry: Option<Date>,
    /// `idDocumentFrontFile`.
    pub id_document_front_file: File,
    /// `idDocumentBackFile`.
    pub id_document_back_file: Option<File>,
    /// `selfieFile`; empty when no selfie was taken, and then the level has no `liveness`.
    pub selfie_file: File,
    /// `residentialAddress…`.
    pub residential_address: Option<ResidentialAddress>,
}

impl Subject {
    /// `urn:uuid:<user id>`: what links the document to the idOS user.
    pub fn uri(&self) -> String {
        user_uri(self.user)
    }

    /// The JSON form under `credentialSubject`.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "@context", Some(SUBJECT_CONTEXT.to_owned()));
        put(&mut out, "id", Some(self.uri()));
        let (first, family) = match &self.name {
            Name::First(first) => (Some(first), None),
            Name::Family(family) => (None, Some(family)),
            Name::Full { first, family } => (Some(first), Some(family)),
        };
        put(&mut out, "firstName", first.cloned());
        put(&mut out, "familyName", family.cloned());
        put(&mut out, "middleName", self.middle_name.clone());
        put(&mut out, "maidenName", self.maiden_name.clone());
        put(&mut out, "dateOfBirth", Some(midnight(self.date_of_birth)));
        put(&mut out, "placeOfBirth", self.place_of_birth.clone());
        put(
            &mut out,
            "gender",
            self.gender.map(|gender| gender.as_str().to_owned()),
        );
        put(
            &mut out,
            "nationality",
            self.nationality.map(|country| country.to_string()),
        );
        put(&mut out, "ssn", self.ssn.clone());
        put(&mut out, "email", self.email.clone());
        put(&mut out, "phoneNumber", self.phone_number.clone());
        put(
            &mut out,
            "idDocumentCountry",
            Some(self.id_document_country.to_string()),
        );
        put(
            &mut out,
            "idDocumentNumber",
            Some(self.id_document_number.clone()),
        );
        put(
            &mut out,
            "idDocumentType",
            Some(self.id_document_type.as_str().to_owned()),
        );
        put(
            &mut out,
            "idDocumentDateOfIssue",
            self.id_document_date_of_issue.map(midnight),
        );
        put(
            &mut out,
            "idDocumentDateOfExpiry",
            self.id_document_date_of_expiry.map(midnight),
        );
        put(
            &mut out,
            "idDocumentFrontFile",
            Some(file_text(&self.id_document_front_file)),
        );
        put(
            &mut out,
            "idDocumentBackFile",
            self.id_document_back_file.as_ref().map(file_text),
        );
        put(&mut out, "selfieFile", Some(file_text(&self.selfie_file)));
        if let Some(address) = &self.residential_address {
            address.write(&mut out);
        }
        Value::Object(out)
    }

    /// The subject a JSON form states; members unknown here are left unread. Errors: `MissingField`,
    /// `BadField`.
    pub fn from_json(json: &Value) -> Result<Subject, VcError> {
        let json = json.as_object().ok_or(VcError::BadField {
            field: "credentialSubject",
        })?;
        let read = Members(json);
        Ok(Subject {
            user: user_of(json)?,
            name: match (read.text("firstName")?, read.text("familyName")?) {
                (Some(first), Some(family)) => Name::Full { first, family },
                (Some(first), None) => Name::First(first),
                (None, Some(family)) => Name::Family(family),
                (None, None) => return Err(VcError::MissingField { field: "firstName" }),
            },
            middle_name: read.text("middleName")?,
            maiden_name: read.text("maidenName")?,
            date_of_birth: required("dateOfBirth", read.date("dateOfBirth")?)?,
            place_of_birth: read.text("placeOfBirth")?,
            gender: read.with("gender", Gender::parse)?,
            nationality: read.country("nationality")?,
            ssn: read.text("ssn")?,
            email: read.text("email")?,
            phone_number: read.text("phoneNumber")?,
            id_document_country: required("idDocumentCountry", read.country("idDocumentCountry")?)?,
            id_document_number: required("idDocumentNumber", read.text("idDocumentNumber")?)?,
            id_document_type: required(
                "idDocumentType",
                read.with("idDocumentType", IdDocumentType::parse)?,
            )?,
            id_document_date_of_issue: read.date("idDocumentDateOfIssue")?,
            id_document_date_of_expiry: read.date("idDocumentDateOfExpiry")?,
            id_document_front_file: required(
                "idDocumentFrontFile",
                read.file("idDocumentFrontFile")?,
            )?,
            id_document_back_file: read.file("idDocumentBackFile")?,
            selfie_file: required("selfieFile", read.file("selfieFile")?)?,
            residential_address: ResidentialAddress::read(read)?,
        })
    }
}

impl ResidentialAddress {
    fn write(&self, out: &mut Map<String, Value>) {
        put(out, "residentialAddressStreet", Some(self.street.clone()));
        put(
            out,
            "residentialAddressHouseNumber",
            self.house_number.clone(),
        );
        put(
            out,
            "residentialAddressPostalCode",
            self.postal_code.clone(),
        );
        put(out, "residentialAddressCity", Some(self.city.clone()));
        put(
            out,
            "residentialAddressCountry",
            Some(self.country.to_string()),
        );
        if let Some(proof) = &self.proof {
            put(
                out,
                "residentialAddressProofCategory",
                Some(proof.category.clone()),
            );
            put(
                out,
                "residentialAddressProofFile",
                Some(file_text(&proof.file)),
            );
            put(
                out,
                "residentialAddressProofDateOfIssue",
                proof.date_of_issue.map(midnight),
            );
        }
    }

    /// A street announces an address, a proof category announces its proof.
    fn read(read: Members<'_>) -> Result<Option<ResidentialAddress>, VcError> {
        let Some(street) = read.text("residentialAddressStreet")? else {
            return Ok(None);
        };
        let proof = match read.text("residentialAddressProofCategory")? {
            None => None,
            Some(category) => Some(AddressProof {
                category,
                file: required(
                    "residentialAddressProofFile",
                    read.file("residentialAddressProofFile")?,
                )?,
                date_of_issue: read.date("residentialAddressProofDateOfIssue")?,
            }),
        };
        Ok(Some(ResidentialAddress {
            street,
            house_number: read.text("residentialAddressHouseNumber")?,
            postal_code: read.text("residentialAddressPostalCode")?,
            city: required(
                "residentialAddressCity",
                read.text("residentialAddressCity")?,
            )?,
            country: required(
                "residentialAddressCountry",
                read.country("residentialAddressCountry")?,
            )?,
            proof,
        }))
    }
}

const USER_URI: &str = "urn:uuid:";

fn user_uri(user: UserId) -> String {
    format!("{USER_URI}{user}")
}

/// The user a subject is linked to. Only the spelling [`user_uri`] gives is accepted, so that one user
/// has one subject id.
pub(super) fn user_of(subject: &Map<String, Value>) -> Result<UserId, VcError> {
    const FIELD: &str = "credentialSubject.id";
    let id = subject
        .get("id")
        .ok_or(VcError::MissingField { field: FIELD })?;
    let user = id.as_str().and_then(|id| {
        let user: UserId = id.strip_prefix(USER_URI)?.parse().ok()?;
        (user_uri(user) == id).then_some(user)
    });
    user.ok_or(VcError::BadField { field: FIELD })
}

fn put(out: &mut Map<String, Value>, name: &str, text: Option<String>) {
    if let Some(text) = text {
        out.insert(name.to_owned(), Value::String(text));
    }
}

fn file_text(file: &File) -> String {
    ascii85::encode(&file.0)
}

const MIDNIGHT: &str = "T00:00:00Z";

fn midnight(date: Date) -> String {
    format!("{date}{MIDNIGHT}")
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, VcError> {
    value.ok_or(VcError::MissingField { field })
}

/// Reads members of a subject: absent is `None`, anything but the expected kind is `BadField`.
#[derive(Clone, Copy)]
struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn with<T>(
        self,
        field: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, VcError> {
        match self.0.get(field) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .and_then(read)
                .map(Some)
                .ok_or(VcError::BadField { field }),
        }
    }

    fn text(self, field: &'static str) -> Result<Option<String>, VcError> {
        self.with(field, |text| Some(text.to_owned()))
    }

    fn country(self, field: &'static str) -> Result<Option<Country>, VcError> {
        self.with(field, |text| text.parse().ok())
    }

    fn file(self, field: &'static str) -> Result<Option<File>, VcError> {
        self.with(field, |text| {
            ascii85::decode(text).map(|bytes| File(bytes.into()))
        })
    }

    fn date(self, field: &'static str) -> Result<Option<Date>, VcError> {
        self.with(field, |text| {
            let date: Date = text.strip_suffix(MIDNIGHT)?.parse().ok()?;
            (midnight(date) == text).then_some(date)
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use assay_laws::laws;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn country(text: &str) -> Country {
        text.parse().unwrap()
    }

    pub(in crate::vc) fn proven_address() -> ResidentialAddress {
        ResidentialAddress {
            street: "Invalidenstraße".into(),
            house_number: Some("116".into()),
            postal_code: Some("10115".into()),
            city: "Berlin".into(),
            country: country("DE"),
            proof: Some(AddressProof {
                category: "UTILITY_BILL".into(),
                file: File::from(b"electricity, March".as_slice()),
                date_of_issue: Some(date(2026, 3, 1)),
            }),
        }
    }

    /// A subject with every member present.
    pub(in crate::vc) fn alice() -> Subject {
        Subject {
            user: "9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11".parse().unwrap(),
            name: Name::Full {
                first: "Alice".into(),
                family: "Zürn".into(),
            },
            middle_name: Some("Example".into()),
            maiden_name: Some("Rossi".into()),
            date_of_birth: date(1990, 5, 17),
            place_of_birth: Some("Torino".into()),
            gender: Some(Gender::Female),
            nationality: Some(country("IT")),
            ssn: Some("123456789".into()),
            email: Some("alice@example.org".into()),
            phone_number: Some("+390110000000".into()),
            id_document_country: country("IT"),
            id_document_number: "YA1234567".into(),
            id_document_type: IdDocumentType::Passport,
            id_document_date_of_issue: Some(date(2020, 1, 31)),
            id_document_date_of_expiry: Some(date(2030, 1, 30)),
            id_document_front_file: File::from(b"front".as_slice()),
            id_document_back_file: Some(File::from(b"back".as_slice())),
            selfie_file: File::from(b"Selfie".as_slice()),
            residential_address: Some(proven_address()),
        }
    }

    /// A subject with the required members alone.
    pub(in crate::vc) fn bob() -> Subject {
        Subject {
            user: "3b0a7a86-9a3c-4f0e-9a53-2e9a7f1d6c01".parse().unwrap(),
            name: Name::Family("Bob".into()),
            middle_name: None,
            maiden_name: None,
            date_of_birth: date(1971, 12, 1),
            place_of_birth: None,
            gender: None,
            nationality: None,
            ssn: None,
            email: None,
            phone_number: None,
            id_document_country: country("PT"),
            id_document_number: "293902002".into(),
            id_document_type: IdDocumentType::IdCard,
            id_document_date_of_issue: None,
            id_document_date_of_expiry: None,
            id_document_front_file: File::default(),
            id_document_back_file: None,
            selfie_file: File::default(),
            residential_address: None,
        }
    }

    #[test]
    fn a_subject_comes_back_from_its_json() {
        let unproven = ResidentialAddress {
            proof: None,
            ..proven_address()
        };
        let lodger = Subject {
            residential_address: Some(unproven),
            ..bob()
        };
        for subject in [alice(), bob(), lodger] {
            assert_eq!(Subject::from_json(&subject.to_json()), Ok(subject));
        }
    }

    #[test]
    fn members_are_named_and_written_as_idos_does() {
        let json = alice().to_json();
        let table = [
            ("@context", SUBJECT_CONTEXT),
            ("id", "urn:uuid:9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11"),
            ("dateOfBirth", "1990-05-17T00:00:00Z"),
            ("gender", "F"),
            ("idDocumentType", "PASSPORT"),
            ("idDocumentCountry", "IT"),
            ("selfieFile", "<~;e9cWBk7~>"),
            ("residentialAddressCity", "Berlin"),
            ("residentialAddressProofCategory", "UTILITY_BILL"),
        ];
        for (name, text) in table {
            assert_eq!(json[name], text, "{name}");
        }
        assert_eq!(bob().to_json().as_object().unwrap().len(), 9);
        assert_eq!(IdDocumentType::ALL.len(), 7);
    }

    #[test]
    fn required_members_are_required_and_every_member_is_checked() {
        let check = |name: &str, value: Option<Value>, code: &str| {
            let mut json = alice().to_json();
            match value {
                Some(value) => json[name] = value,
                None => drop(json.as_object_mut().unwrap().remove(name)),
            }
            let found = Subject::from_json(&json).map_or_else(|error| error.code(), |_| "ok");
            assert_eq!(found, code, "{name}");
        };
        for name in alice().to_json().as_object().unwrap().keys() {
            let context = name == "@context";
            check(
                name,
                Some(Value::from(7)),
                if context { "ok" } else { "bad-field" },
            );
        }
        for name in bob().to_json().as_object().unwrap().keys() {
            let optional = ["@context", "familyName"].contains(&name.as_str());
            check(name, None, if optional { "ok" } else { "missing-field" });
        }
        let wrong = [
            ("id", "9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11"),
            ("id", "urn:uuid:9F51B3B2-4cbe-4c2b-8ea3-0b0c1b2f1a11"),
            ("dateOfBirth", "1990-05-17"),
            ("dateOfBirth", "1990-02-30T00:00:00Z"),
            ("idDocumentCountry", "it"),
            ("idDocumentCountry", "ITA"),
            ("idDocumentType", "passport"),
            ("selfieFile", "selfie"),
        ];
        for (name, text) in wrong {
            check(name, Some(text.into()), "bad-field");
        }
    }

    laws! {
        256;

        fn texts_and_files_of_any_kind_come_back(text in ".*", file in proptest::collection::vec(any::<u8>(), 0..99)) {
            let subject = Subject {
                name: Name::First(text.clone()),
                id_document_number: text,
                id_document_front_file: File::from(file.as_slice()),
                ..bob()
            };
            prop_assert_eq!(Subject::from_json(&subject.to_json()), Ok(subject));
        }
    }
}
