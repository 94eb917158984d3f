//! Files in an object store that speaks S3, as a city with several machines has it.

use std::time::Duration;

use object_store::{ObjectStore, ObjectStoreExt, aws::AmazonS3Builder};

use crate::harness::{
    Engine, Portal, USAGER, html,
    journey::{JPEG, PDF},
    peers::{BUCKET, KEYS, S3, eventually},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_and_receipts_live_there() {
    let s3 = S3::start();
    s3.make_bucket().await;
    let endpoint = s3.endpoint.clone();
    let portal = Portal::start_with(Engine::Postgres, |config| {
        config.files.s3_endpoint.clone_from(&endpoint);
        config.files.s3_bucket = BUCKET.into();
        (config.files.s3_access_key, config.files.s3_secret_key) = (KEYS.0.into(), KEYS.1.into());
    })
    .await;
    let mut person = portal.usager(USAGER).await;
    let answers = portal.sample("recensement-citoyen").await;
    let mut path = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
    while !path.contains("/pieces/") {
        path = person.answer(&path, &answers).await;
    }
    // One in a single request, one in several parts.
    let large = [PDF, &vec![b'y'; 7_000_000]].concat();
    let piece = path.clone();
    path = person.give(&path, &[("carte.jpg", JPEG), ("grand.pdf", &large)]).await;
    let links: Vec<String> = {
        let page = person.get(&piece).await;
        html::tags(page.html())
            .into_iter()
            .map(|tag| tag.get("href").to_owned())
            .filter(|href| href.starts_with("/fichiers/"))
            .collect()
    };
    assert_eq!(person.get(&links[0]).await.is(200).bytes, JPEG);
    assert!(person.get(&links[1]).await.is(200).bytes == large);
    // Refused ones leave nothing behind.
    let fields = [("action".to_owned(), "ajouter".to_owned())];
    let huge = [PDF, &vec![b'z'; 12_000_000]].concat();
    person.upload(&piece, &fields, &[("fichier", "enorme.pdf", &huge)]).await.is(422).shows("dépasse 10 Mo");
    while !path.ends_with("/verifier") {
        path = person.give(&path, &[("document.pdf", PDF)]).await;
    }
    let filed = person.send_checked(&path).await;
    portal.work().await;
    let receipt = person.get(&format!("/demandes/{}/recepisse.pdf", filed.id)).await.is(200);
    assert!(receipt.bytes.starts_with(b"%PDF"));
    let kept = s3.objects().await;
    assert_eq!(i64::try_from(kept.len()).unwrap(), portal.count("file").await, "{kept:?}");
    assert!(kept.iter().all(|name| name.starts_with(&portal.city.to_string())), "{kept:?}");
    assert!(!portal.files().exists(), "nothing on the local disk");
}

impl S3 {
    fn store(&self) -> object_store::aws::AmazonS3 {
        let builder =
            AmazonS3Builder::new().with_endpoint(&self.endpoint).with_region("us-east-1").with_bucket_name(BUCKET);
        builder.with_access_key_id(KEYS.0).with_secret_access_key(KEYS.1).with_allow_http(true).build().unwrap()
    }

    async fn objects(&self) -> Vec<String> {
        use futures_util::TryStreamExt;
        self.store().list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
    }

    /// Waits for the store, then makes the bucket as an administrator does beforehand: SeaweedFS makes
    /// one with its first object.
    async fn make_bucket(&self) {
        let (store, first) = (self.store(), object_store::path::Path::from("premier"));
        eventually("the object store", Duration::from_secs(60), async || store.put(&first, "x".into()).await.ok())
            .await;
        store.delete(&first).await.unwrap();
    }
}
