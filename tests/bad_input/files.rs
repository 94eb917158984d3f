//! Files of the wrong kind, too big, empty, too many.

use crate::harness::{
    Client, Engine, Portal, both,
    journey::{JPEG, PDF},
};

async fn piece(portal: &Portal) -> (Client, String) {
    let mut person = portal.client();
    let answers = portal.sample("recensement-citoyen").await;
    let mut path = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
    while !path.contains("/pieces/") {
        path = person.answer(&path, &answers).await;
    }
    (person, path)
}

fn stored(portal: &Portal) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&portal.files())
}

both! {
    async fn what_is_refused_is_told_and_not_kept(portal: Portal) {
        let (mut person, path) = piece(&portal).await;
        let fields = [("action".to_owned(), "ajouter".to_owned())];
        let big = [PDF, &vec![b'x'; 10 * 1024 * 1024]].concat();
        let huge = [JPEG, &vec![0; 30 * 1024 * 1024]].concat();
        let cases: [(&str, &[u8], &str); 7] = [
            ("virus.exe", b"MZ\x90\x00\x03\x00\x00\x00", "n'est pas d'un type accepté"),
            // The content decides, not the name.
            ("photo.jpg", b"<html><script>alert(1)</script></html>", "n'est pas d'un type accepté"),
            ("lettre.pdf", b"bonjour", "n'est pas d'un type accepté"),
            ("archive.pdf", b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "n'est pas d'un type accepté"),
            ("vide.pdf", b"", "est vide"),
            ("gros.pdf", &big, "dépasse 10 Mo"),
            ("enorme.jpg", &huge, "dépasse 10 Mo"),
        ];
        for (name, bytes, told) in cases {
            let page = person.upload(&path, &fields, &[("fichier", name, bytes)]).await.is(422).shows(told).hides(name);
            assert!(page.html().contains("Erreur"), "{name}");
        }
        assert_eq!((portal.count("file").await, stored(&portal)), (0, 0));
        for number in 0..4 {
            person.upload(&path, &fields, &[("fichier", &format!("page {number}.pdf"), PDF)]).await.leads_to(&path);
        }
        person.upload(&path, &fields, &[("fichier", "de trop.pdf", PDF)]).await.is(422).shows("le maximum");
        assert_eq!((portal.count("file").await, stored(&portal)), (4, 4));
        // Another input's name, several at once, a name made to escape.
        person.upload(&path, &fields, &[("autre", "x.pdf", PDF)]).await.is(422);
        let page = person.get(&path).await;
        let form = page.forms().into_iter().find(|form| form.holds("piece")).unwrap();
        person.post_form(&path, &form.with("action", "retirer").fields).await.is(303);
        person.upload(&path, &fields, &[("fichier", "../../../etc/passwd\u{202e}<img>.pdf", PDF)]).await.leads_to(&path);
        assert!(person.get(&path).await.words().contains("passwd"));
    }

    async fn an_upload_cut_short_leaves_nothing(portal: Portal) {
        let (mut person, path) = piece(&portal).await;
        let start = b"--B\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4 the rest never came";
        person.post_bytes(&path, "multipart/form-data; boundary=B", start.to_vec()).await;
        person.post_bytes(&path, "multipart/form-data; boundary=AUTRE", start.to_vec()).await.is(400).shows("Nous n'avons pas compris");
        person.post_bytes(&path, "multipart/form-data", start.to_vec()).await.is(400);
        person.get(&path).await.is(200).hides("a.pdf");
        assert_eq!(portal.count("file").await, 0);
    }
}
