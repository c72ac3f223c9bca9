"""All kinds of sources."""

from __future__ import annotations

from runyard.data.code_dataset_source import CodeDatasetSource
from runyard.data.delta_dataset_source import DeltaDatasetSource
from runyard.data.filesystem_dataset_source import FileSystemDatasetSource, LocalArtifactDatasetSource
from runyard.data.http_dataset_source import HTTPDatasetSource
from runyard.data.huggingface_dataset_source import HuggingFaceDatasetSource
from runyard.data.spark_dataset_source import SparkDatasetSource

__all__ = [
    "AzureBlobArtifactDatasetSource",
    "AzureDataLakeArtifactDatasetSource",
    "B2ArtifactDatasetSource",
    "CodeDatasetSource",
    "DeltaDatasetSource",
    "FTPArtifactDatasetSource",
    "FileSystemDatasetSource",
    "GCSArtifactDatasetSource",
    "HTTPDatasetSource",
    "HdfsArtifactDatasetSource",
    "HuggingFaceDatasetSource",
    "LocalArtifactDatasetSource",
    "R2ArtifactDatasetSource",
    "S3ArtifactDatasetSource",
    "SFTPArtifactDatasetSource",
    "SparkDatasetSource",
]


class S3ArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "s3"


class R2ArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "r2"


class B2ArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "b2"


class GCSArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "gs"


class AzureBlobArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "wasbs"


class AzureDataLakeArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "abfss"


class FTPArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "ftp"


class SFTPArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "sftp"


class HdfsArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "hdfs"


class ViewFsArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "viewfs"


class WasbArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "wasb"


class DbfsArtifactDatasetSource(FileSystemDatasetSource):
    scheme = "dbfs"
