//! Case files and recipes are compiled into the program: a new one must rebuild it.

fn main() {
    println!("cargo::rerun-if-changed=../cases");
    println!("cargo::rerun-if-changed=brokers");
}
