/// The Arrow C data interface: columns and schemas handed over within a process, without copying values.
///
/// Exporting fills a C structure that the other side releases; importing takes a structure over (it is marked as
/// released, as the specification's move) and releases it when the last array over its memory is gone.
/// Spec: https://arrow.apache.org/docs/format/CDataInterface.html
public enum ArrowCData {}
